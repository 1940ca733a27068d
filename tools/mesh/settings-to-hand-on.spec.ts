import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { variableOf } from '@delta-ci/service';
import fc from 'fast-check';
import { SERVICE_NAMES, serviceSpec, type MeshSettings } from './service-table.ts';
import { settingsOfServices, type SettingsOfServices } from './settings-of-services.ts';
import { KEPT, OF_OTHERS, settingsToHandOn } from './settings-to-hand-on.ts';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Settings that the mesh has a value for, and an operator a better one. */
const DEFAULTS = [
  'DELTA_CLONE_PROTOCOLS',
  'DELTA_LOG_FORMAT',
  'DELTA_RUNNERS_MAX',
  'DELTA_RUNNERS_MIN',
  'DELTA_TOOLCHAIN_DIRS',
];

let settings: SettingsOfServices;
beforeAll(async () => {
  settings = await settingsOfServices((app) => join(ROOT, 'apps', app, 'src', 'config.ts'));
});

const sort = (env: Readonly<Record<string, string>>) => settingsToHandOn(env, settings);

const MESH: MeshSettings = {
  root: '/checkout',
  directory: '/state',
  databases: { admin: 'postgres://a', orchestrator: 'postgres://o', reader: 'postgres://r' },
  natsUrl: 'nats://n',
  forgesFile: '/forges.json',
  gatewayPort: 7070,
  registrationToken: 'fake-token-of-a-fake-mesh',
  bubblewrapPath: '/bwrap',
  containerEngine: '/engine',
  containerImage: 'image',
  isolation: 'sandbox',
  toolchainDirs: ['/tools'],
  env: {},
  handedOn: {},
};

describe('settings of an operator', () => {
  it('given one of runners, when sorted, then the controller gets it, which hands it on', () => {
    const { handedOn, taken } = sort({ DELTA_EGRESS: 'proxy', PATH: '/bin', DELTA_POOLS: '' });
    expect(taken).toEqual([{ variable: 'DELTA_EGRESS', services: ['runner-controller'] }]);
    expect(handedOn).toMatchObject({ 'runner-controller': { DELTA_EGRESS: 'proxy' }, gateway: {}, planner: {} });
  });

  it('given one that several read, when sorted, then each of them gets it', () => {
    expect(sort({ DELTA_LOG_LEVEL: 'debug' }).taken).toEqual([
      { variable: 'DELTA_LOG_LEVEL', services: SERVICE_NAMES },
    ]);
  });

  it('given one that the mesh has a value for, when a service is started, then the operator’s is taken', () => {
    const { handedOn } = sort({ DELTA_RUNNERS_MAX: '9' });
    const { env } = serviceSpec('runner-controller', { ...MESH, handedOn });
    expect(env).toMatchObject({ DELTA_RUNNERS_MAX: '9', DELTA_RUNNERS_MIN: '2' });
  });

  it('given those that the mesh gives itself, when sorted, then nobody gets them, and each is told', () => {
    const { taken, kept } = sort({ DELTA_NATS_URL: 'nats://x', DELTA_REGISTRATION_TOKEN: 'x'.repeat(20) });
    expect(taken).toEqual([]);
    expect(kept).toEqual([
      { variable: 'DELTA_NATS_URL', instead: expect.stringContaining('NATS_URL') },
      { variable: 'DELTA_REGISTRATION_TOKEN', instead: expect.stringContaining('registration-token') },
    ]);
  });

  it('given nobody’s names, when sorted, then one that is nearly ours is told apart from the rest', () => {
    const { misspelt, unknown } = sort({ DELTA_EGRES_ALLOW: 'a.example', DELTA_WHATEVER_THIS_IS: '1' });
    expect(misspelt).toEqual([{ variable: 'DELTA_EGRES_ALLOW', nearest: 'DELTA_EGRESS_ALLOW' }]);
    expect(unknown).toEqual(['DELTA_WHATEVER_THIS_IS']);
  });

  it('given values that a service or its runners would refuse, when sorted, then they are problems', () => {
    const { problems } = sort({ DELTA_EGRESS: 'prox', DELTA_EGRESS_RANGES: 'home', DELTA_POOLS: 'default' });
    expect(problems).toEqual([
      { variable: 'DELTA_EGRESS', given: '"prox"', expected: 'one of none, proxy, host' },
      { variable: 'DELTA_EGRESS_RANGES', given: '"home"', expected: expect.stringContaining('ranges of addresses') },
    ]);
  });

  it('given any of our names and some of nobody, when sorted, then each is in one place', () => {
    const ours = Object.values(settings).flatMap(({ shape }) => Object.keys(shape).map(variableOf));
    const name = fc.oneof(fc.constantFrom(...ours, ...OF_OTHERS), fc.stringMatching(/^DELTA_[A-Z_]{1,20}$/));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
        const sorted = sort(Object.fromEntries(names.map((each) => [each, 'x'])));
        const told = [...sorted.taken, ...sorted.kept, ...sorted.misspelt].map(({ variable }) => variable);
        const others = names.filter((each) => OF_OTHERS.has(each));
        expect([...told, ...sorted.unknown, ...others].sort()).toEqual([...names].sort());
      }),
    );
  });
});

describe('what the mesh knows of settings', () => {
  it('given all that it sets, then each is kept to what it is, or is an operator’s to change', () => {
    const set = SERVICE_NAMES.flatMap((name) => Object.keys(serviceSpec(name, MESH).env));
    const open = new Set(set.filter((name) => name.startsWith('DELTA_') && KEPT[name] === undefined));
    expect([...open].sort()).toEqual([...DEFAULTS, ...[...OF_OTHERS].filter((name) => open.has(name))].sort());
  });

  it('given what is kept, then all of it is a setting of somebody', () => {
    const ours = new Set(Object.values(settings).flatMap(({ shape }) => Object.keys(shape).map(variableOf)));
    expect(Object.keys(KEPT).filter((name) => !ours.has(name))).toEqual([]);
  });

  it('given the names that `delta` and the set-up read, then none is taken for a mistake', () => {
    const names = [...namesIn(join(ROOT, 'apps', 'cli', 'src')), ...namesIn(join(ROOT, 'tools', 'bootstrap'))];
    expect(names.length).toBeGreaterThan(10);
    const { misspelt, unknown } = sort(Object.fromEntries(names.map((name) => [name, 'x'])));
    expect([misspelt, unknown]).toEqual([[], []]);
  });
});

/** Names of variables in the sources below a directory, but for those of specs. */
function namesIn(directory: string): string[] {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => /\.(?:ts|mjs)$/u.test(file) && !/\.(?:spec|fixture)\.ts$/u.test(file));
  return sources.flatMap((file) => readFileSync(join(directory, file), 'utf8').match(/\bDELTA_[A-Z_]*[A-Z]\b/gu) ?? []);
}
