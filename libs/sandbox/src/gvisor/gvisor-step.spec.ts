import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import { gvisorProfile } from './gvisor-seccomp.ts';
import { BUNDLE, gvisorSetting } from './gvisor-step.ts';

const FAKE = "not-a-secret 'at all' \\ $HOME\n";
/** The names of a secret, and of what else a step may be given, that shells take for their own. */
const NAMES = ['NPM_TOKEN', 'UID', 'BASH_ENV', 'IFS', 'PS4', 'RANDOM', 'OPTARG'];

describe('what a step of tier gvisor is told', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'delta-gvisor-step-'));
    mkdirSync(join(directory, BUNDLE));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const launch = (variables: Readonly<Record<string, string>>, program = '/usr/bin/env') =>
    gvisorSetting({
      runsc: '/nowhere/runsc',
      setpriv: '/nowhere/setpriv',
      cgroups: { version: 2, parent: '/nowhere', cpu: true },
      layout: {
        uid: 1,
        network: 'none',
        system: {
          links: [],
          directories: [],
          etcFiles: {},
          etcDirectories: [],
          procReadOnly: [],
          procFilesToMask: [],
          procDirsToMask: [],
        },
        limits: DEFAULT_SANDBOX_LIMITS,
        seccomp: gvisorProfile(),
        rootHostDir: '/nowhere/root',
        etcHostDir: '/nowhere/etc',
        workspaceHostDir: '/nowhere/workspace',
        homeHostDir: '/nowhere/home',
        homeDir: '/home/ci',
        binds: [],
      },
      env: { PATH: '/usr/bin:/bin' },
      killGraceMs: 1,
      id: 'box',
      directory,
      watchDisk: false,
      onSurvivors: () => undefined,
    }).launch(
      // Where there is no workspace, above it.
      {
        command: { kind: 'argv', argv: [program, '-0'] },
        workdir: '..',
        env: variables,
        timeoutMs: 1,
        idleTimeoutMs: null,
      },
      [],
    );

  /** What the step prints: it shows its variables. */
  const does = (words: string | null | undefined): readonly string[] =>
    spawnSync('/bin/sh', ['-s'], { input: words ?? '', env: {}, encoding: 'utf8' }).stdout.split('\0');

  it.each(NAMES)('given a secret that is called %s, then it is in no file, and the step has it', (name) => {
    const { gate, argv, env } = launch({ [name]: FAKE });
    const written = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    const texts = written.map(({ parentPath, name: file }) => readFileSync(join(parentPath, file), 'utf8'));
    expect(texts).toHaveLength(1);
    for (const text of [...texts, JSON.stringify([argv, env])]) expect(text).not.toContain('not-a-secret');
    expect(does(gate?.words)).toContain(`${name}=${FAKE}`);
  });

  it.each(NAMES)(
    'given a program whose name holds an equals sign and a variable that is called %s, then it is run',
    (name) => {
      symlinkSync('/usr/bin/env', join(directory, 'a=b'));
      for (const program of ['a=b', join(directory, 'a=b')]) {
        const { gate } = launch({ [name]: FAKE, PATH: `/usr/bin:/bin:${directory}` }, program);
        const has = does(gate?.words);
        expect(has).toContain(`${name}=${FAKE}`);
        expect(has.filter((variable) => variable.includes('a=b'))).toEqual([]);
      }
    },
  );
});
