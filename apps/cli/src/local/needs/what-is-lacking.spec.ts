import { hostname } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import type { PlannedJob } from '@delta-ci/contracts';
import { aPlannedJob } from '../../../../../test/support/made-up/planned-job.ts';
import { HandedInSecrets } from './handed-in-secrets.ts';
import { offeredHere, refusedJobs } from './refused-jobs.ts';
import { whatIsLacking, type Offered } from './what-is-lacking.ts';

const HERE: Offered = {
  labels: new Set(['desk']),
  toolchains: [
    { name: 'node', version: '20.20.2' },
    { name: 'php', version: null },
  ],
  claimed: [],
  secrets: new Set(['NPM_TOKEN']),
  network: true,
};

const needing = (requirements: Partial<PlannedJob['requirements']>): PlannedJob => {
  const job = aPlannedJob('unit');
  return { ...job, requirements: { ...job.requirements, ...requirements } };
};
const toolchain = (name: string, version: string): PlannedJob => needing({ toolchains: [{ name, version }] });
const token = (name: string): PlannedJob => aPlannedJob('unit', { idTokens: [{ name, audience: ['cloud'] }] });
const service = { name: 'db', image: 'postgres:17', ports: [], env: {}, health: null };

describe('what a job of a local run lacks', () => {
  it.each([
    ['nothing is needed', aPlannedJob('unit')],
    ['the secret was handed in', aPlannedJob('unit', { secrets: ['NPM_TOKEN'] })],
    ['the token was', token('NPM_TOKEN')],
    ['this machine has the label', needing({ labels: ['desk'] })],
    ['the version is there', toolchain('node', '20.20')],
    ['any version will do', toolchain('node', '*')],
    ['any will do, and this one does not say its own', toolchain('php', '*')],
  ])('given that %s, then nothing', (_what, job) => expect(whatIsLacking(job, HERE)).toBeNull());

  it.each([
    [
      'a secret',
      aPlannedJob('unit', { secrets: ['A', 'NPM_TOKEN', 'B'] }),
      'the secrets A, B, and nobody handed them in: --secret A --secret B',
    ],
    ['a token', token('CLOUD'), 'the identity token CLOUD, which only an installation signs'],
    [
      'a service',
      aPlannedJob('unit', { services: [service] }),
      'beside db (postgres:17), and nothing here starts services',
    ],
    [
      'a label',
      needing({ labels: ['gpu', 'desk', 'windows'] }),
      'gpu, windows, which nobody says this machine is: --has gpu --has windows',
    ],
    ['another version', toolchain('node', '18'), 'node 18, and jobs here find node 20.20.2: put it first on PATH'],
    ['a version that begins alike', toolchain('node', '2'), 'jobs here find node 20.20.2'],
    ['a version of what says none', toolchain('php', '8'), 'jobs here find php that does not say its version'],
    ['a toolchain that is not there', toolchain('go', '1.26'), 'jobs here find no go'],
    [
      'one that nobody can ask for',
      toolchain('zig', '0.14'),
      'nobody knows how to tell whether jobs here find it: --has zig@0.14',
    ],
  ])('given %s, then that, and what to do about it', (_what, job, message) => {
    expect(whatIsLacking(job, HERE)?.message).toContain(message);
  });

  it('given secrets alone, then it is told from what a machine lacks', () => {
    expect(whatIsLacking(aPlannedJob('unit', { secrets: ['A'] }), HERE)?.code).toBe('secret_unavailable');
    expect(whatIsLacking({ ...needing({ labels: ['gpu'] }), secrets: ['A'] }, HERE)).toMatchObject({
      code: 'layer_missing',
      message: expect.stringMatching(/secret A.*; it runs on gpu/u),
    });
  });

  it('given hosts in the plan, then they lack where no job may reach anything, and nowhere else', () => {
    const job = aPlannedJob('unit', { egress: { allow: ['registry.example.org'] } });
    const away = { ...HERE, network: false };
    expect([whatIsLacking(job, HERE), whatIsLacking(aPlannedJob('unit'), away)]).toEqual([null, null]);
    expect(whatIsLacking(job, away)).toEqual({
      code: 'not_offered',
      message: 'it needs the network (registry.example.org) and --no-network forbids it',
    });
    expect(whatIsLacking({ ...job, secrets: ['A'] }, away)?.code).toBe('secret_unavailable');
  });

  it('given containers, then nobody can tell what jobs find, unless somebody says so', () => {
    const inside = { ...HERE, toolchains: null };
    expect(whatIsLacking(toolchain('node', '20'), inside)?.message).toContain('--has node@20 says that they do');
    expect(
      whatIsLacking(toolchain('node', '20'), { ...inside, claimed: [{ name: 'node', version: '20' }] }),
    ).toBeNull();
  });
});

describe('what this machine offers', () => {
  it('given claims, then labels and toolchains of them, beside its own name', () => {
    const offered = offeredHere([], ['gpu', 'zig@0.14'], new HandedInSecrets(new Map(), null), 'plan');
    for (const label of [hostname(), 'gpu']) expect(whatIsLacking(needing({ labels: [label] }), offered)).toBeNull();
    expect(whatIsLacking(toolchain('zig', '0.14'), offered)).toBeNull();
    expect(whatIsLacking(toolchain('zig', '0.15'), offered)).not.toBeNull();
  });

  it('given a value that cannot be masked, then the job that names it is refused, and no other', async () => {
    const secrets = new HandedInSecrets(new Map([['PIN', '123']]), await import('@delta-ci/service'));
    const jobs = [aPlannedJob('deploy', { secrets: ['PIN'] }), aPlannedJob('unit')];
    const refused = refusedJobs(jobs, offeredHere([], [], secrets, 'plan'), secrets);
    expect([...refused]).toEqual([
      [
        'deploy',
        {
          code: 'secret_unavailable',
          message: expect.stringMatching(/^the secret PIN cannot be used: it has 3 characters/u),
        },
      ],
    ]);
  });
});
