import { describe, expect, it } from '@jest/globals';
import { Plan, explainSubject, type Change } from '@delta-ci/contracts';
import { inputsFor, keysOf, planned, type Files } from './planned-repository.fixture.ts';
import { parseConfigFile } from './config/lint-config-file.ts';
import { planChange } from './plan-change.ts';
import { planConfigured } from './plan-configured.ts';

const CONFIG = `version: 1
jobs:
  build:
    steps: [make]
    paths: [src/**]
  unit:
    needs: [build]
    steps: ["make test\\nmake more"]
    workdir: sub/./dir
    paths: [src/**, tests/**, "!**/*.md"]
    matrix: { node: [22, 24], os: [small] }
    toolchain: node@{matrix:node}
    env: { LEVEL: high }
    secrets: [NPM_TOKEN]
    id_tokens: { CLOUD: { aud: https://cloud.example.org }, BOTH: { aud: [a, b] } }
    artifacts: [{ type: junit, path: "reports/*.xml" }]
    caches: [{ type: deps, key: "npm-{hash:lock}-{matrix:node}", paths: [cache] }]
    policy: { allow_failure: true, timeout_seconds: 60, idle_timeout_seconds: 20, retries: 0, priority: 5 }
  prose:
    steps: [vale .]
    paths: ["**/*.md"]
  always:
    steps: [date]
policies: { runs: { max_runtime_seconds: 3600, max_concurrency: 2, fail_fast: false, cancel_superseded: true } }
limits: { cpu: "0.5", memory: 512Mi, disk: 1Gi }
egress: { allow: [registry.example.org, registry.npmjs.org] }
`;

const FILES: Files = { 'delta.yaml': CONFIG, 'src/a.c': 'a', 'tests/a.c': 'a', 'README.md': 'a', lock: 'a' };
const planFor = (edit: Files, given: Parameters<typeof planned>[2] = {}): Plan =>
  planned(FILES, { ...FILES, ...edit }, given);

const untrusted = (): { change: Change } => ({ change: { ...inputsFor(FILES, FILES).change, trust: 'untrusted' } });

describe('a repository that says what to run', () => {
  it('given paths, then each job runs for what it names, and those it needs with it', () => {
    expect(keysOf(planFor({ 'src/a.c': 'b' }).jobs)).toEqual(['always', 'build', 'unit-22-small', 'unit-24-small']);
    expect(keysOf(planFor({ 'README.md': 'b' }).jobs)).toEqual(['always', 'prose']);
    const tests = planFor({ 'tests/a.c': 'b' });
    expect(keysOf(tests.jobs)).toEqual(['always', 'build', 'unit-22-small', 'unit-24-small']);
    expect(explainSubject(tests, 'build')?.explanation.sentence).toBe('build runs because unit needs it and runs.');
  });

  it('given nothing that a job names, then it is skipped and says so', () => {
    expect(explainSubject(planFor({ 'README.md': 'b' }), 'unit-22-small')?.explanation.sentence).toBe(
      'unit 22 small is skipped: the changed file does not match its paths (src/**, tests/**, !**/*.md).',
    );
  });

  it('given a change of the file itself, then everything runs', () => {
    expect(planFor({ 'delta.yaml': `${CONFIG}# more\n` }).skipped).toEqual([]);
  });

  it('given a file of another name that went away and was followed before, then everything runs', () => {
    const { 'delta.yaml': followed = '', ...others } = FILES;
    const after = { ...others, 'ci.ai.yaml': followed };
    expect(planned({ ...after, 'delta.yaml': followed }, after).skipped).toEqual([]);
  });

  it.each([
    ['160000', 'src', ['always', 'build', 'unit-22-small', 'unit-24-small']],
    ['120000', 'src', ['always', 'build', 'unit-22-small', 'unit-24-small']],
    ['100644', 'lock', ['always']],
  ])('given an entry of mode %s at %s, then whoever names something below it runs', (mode, path, jobs) => {
    const { comparison } = inputsFor(FILES, FILES);
    if (comparison.kind !== 'changes') throw new Error(comparison.kind);
    const changes = [{ status: 'M' as const, path, oldMode: mode, newMode: mode }];
    const plan = planFor({}, { comparison: { ...comparison, changes } });
    expect(keysOf(plan.jobs.filter(({ key }) => key !== 'prose'))).toEqual(jobs);
  });

  it('given a job, then every choice of it is made', () => {
    const plan = planFor({ 'src/a.c': 'b' });
    const [job] = plan.jobs.filter(({ key }) => key === 'unit-22-small');
    expect(job).toMatchObject({
      title: 'unit 22 small',
      kind: 'custom',
      unit: null,
      needs: ['build'],
      steps: [{ name: 'make test', run: 'make test\nmake more', workdir: 'sub/dir' }],
      env: { CI: 'true', LEVEL: 'high', MATRIX_NODE: '22', MATRIX_OS: 'small' },
      requirements: { toolchains: [{ name: 'node', version: '22' }], isolation: 'sandbox' },
      limits: { cpuCount: 0.5, memoryBytes: 512 * 1024 ** 2, diskBytes: 1024 ** 3, pids: 512 },
      egress: { allow: ['registry.example.org', 'registry.npmjs.org'] },
      secrets: ['NPM_TOKEN'],
      idTokens: [
        { name: 'CLOUD', audience: ['https://cloud.example.org'] },
        { name: 'BOTH', audience: ['a', 'b'] },
      ],
      artifacts: [{ type: 'junit', path: 'reports/*.xml', retentionDays: 14 }],
      policy: {
        allowFailure: true,
        required: false,
        timeoutMs: 60_000,
        idleTimeoutMs: 20_000,
        retries: 0,
        priority: 5,
      },
    });
    expect(job?.caches[0]?.key).toMatch(/^npm-[0-9a-f]{40}-22-[0-9a-f]{8}$/u);
    expect(plan.policy).toMatchObject({
      runTimeoutMs: 3_600_000,
      maxConcurrency: 2,
      failFast: false,
      cancelSuperseded: true,
    });
    expect(Plan.parse(plan)).toEqual(plan);
  });

  it('given a matrix, then its values stand in all that a runner reads, and each combination is a job that others wait for', () => {
    const config = `version: 1
jobs:
  unit:
    matrix: { node: [22, 24], at: ["a b", a] }
    steps: [make]
    image: node:{matrix:node}
    toolchain: node@{matrix:node}
    runs_on: ["node-{matrix:node}"]
    workdir: "in/{matrix:at}"
    env: { TARGET: "{matrix:at}!" }
    artifacts: [{ type: file, path: "out/{matrix:node}.zip" }]
    caches: [{ type: deps, key: "k-{matrix:node}", paths: ["cache/{matrix:node}"] }]
  all: { steps: [make], needs: [unit] }
`;
    const plan = planned(null, { 'delta.yaml': config });
    const units = plan.jobs.filter(({ key }) => key !== 'all');
    expect(new Set(units.map(({ key }) => key)).size).toBe(4);
    expect(plan.jobs.find(({ key }) => key === 'all')?.needs).toEqual(units.map(({ key }) => key));
    expect(units[2]).toMatchObject({
      image: 'node:24',
      requirements: { toolchains: [{ name: 'node', version: '24' }], labels: ['node-24'] },
      steps: [{ workdir: 'in/a b' }],
      env: { TARGET: 'a b!', MATRIX_AT: 'a b', MATRIX_NODE: '24' },
      artifacts: [{ path: 'out/24.zip' }],
      caches: [{ key: expect.stringMatching(/^k-24-[0-9a-f]{8}$/), paths: ['cache/24'] }],
    });
    expect(plan.notes).toEqual([]);
  });

  it('given what a checkout is to bring, then jobs have the file’s word unless they have one of their own', () => {
    const text = `version: 1
source: { submodules: true }
jobs:
  unit: { steps: [make] }
  model: { steps: [make], source: { submodules: recursive, lfs: true } }
  lint: { steps: [make], source: { lfs: false } }
`;
    const parsed = parseConfigFile(text, 'delta.yaml');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const result = planConfigured(inputsFor(null, {}), { path: 'delta.yaml', file: parsed.file });
    expect(result.ok && result.plan.jobs.map(({ key, source }) => [key, source])).toEqual([
      ['unit', { submodules: 'direct' }],
      ['model', { submodules: 'recursive', lfs: true }],
      ['lint', undefined],
    ]);
  });

  it('given services, then they stand in the plan with the values of the matrix, for the check to refuse', () => {
    const text = `version: 1
jobs:
  unit:
    matrix: { pg: [16, 17] }
    steps: [make]
    services:
      db:
        image: postgres:{matrix:pg}
        ports: [5432]
        env: { POSTGRES_DB: "v{matrix:pg}" }
        health: { command: pg_isready, timeout_seconds: 30 }
      cache: { image: "redis:8" }
`;
    const parsed = parseConfigFile(text, 'delta.yaml');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const result = planConfigured(inputsFor(null, {}), { path: 'delta.yaml', file: parsed.file });
    expect(result.ok && result.plan.jobs.map(({ services }) => services)[1]).toEqual([
      {
        name: 'db',
        image: 'postgres:17',
        ports: [5432],
        env: { POSTGRES_DB: 'v17' },
        health: { command: 'pg_isready', timeoutMs: 30_000 },
      },
      { name: 'cache', image: 'redis:8', ports: [], env: {}, health: null },
    ]);
    expect(result.ok && Plan.parse(result.plan)).toEqual(result.ok && result.plan);
  });

  it('given values that read alike when they are joined, then they are jobs of their own', () => {
    const config = 'version: 1\njobs: { a: { steps: [x], matrix: { x: ["1 2", "1"], y: ["3", "2 3"] } } }\n';
    expect(new Set(keysOf(planned(null, { 'delta.yaml': config }).jobs)).size).toBe(4);
  });

  it('given a cache by a file that is not there, then that is said once, and a key that is too long still tells files apart', () => {
    const cache = (key: string): string => `{ type: deps, key: "${key}", paths: [x] }`;
    const long = '{hash:lock}'.repeat(40);
    const config = (caches: string): string =>
      `version: 1\njobs: { a: { steps: [x], matrix: { n: [1, 2] }, caches: [${caches}] } }\n`;
    const missing = planned(null, { 'delta.yaml': config(cache('k-{hash:yarn.lock}')) });
    expect(missing.notes).toEqual([
      {
        severity: 'warning',
        code: 'cache_key_file_missing',
        message: 'a cache of a goes by yarn.lock, which is no file of the repository',
        subject: 'a',
      },
    ]);
    const keys = ['1', '2'].map((end) => {
      const files = { 'delta.yaml': config(cache(`${long}{hash:end}`)), lock: 'l', end };
      return planned(null, files).jobs[0]?.caches[0]?.key;
    });
    expect(keys.map((key) => key?.length)).toEqual([500, 500]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('given caches of one key, then each list of paths has its own, and none is there twice', () => {
    const cache = (type: string, paths: string): string => `{ type: ${type}, key: k, paths: [${paths}] }`;
    const caches = [cache('deps', 'a'), cache('build', 'a'), cache('deps', 'a, b'), cache('deps', 'b')].join(', ');
    const config = `version: 1\njobs: { a: { steps: [x], caches: [${caches}] } }\n`;
    const kept = planned(null, { 'delta.yaml': config }).jobs[0]?.caches ?? [];
    expect(kept.map(({ paths }) => paths)).toEqual([['a'], ['a', 'b'], ['b']]);
    expect(new Set(kept.map(({ key }) => key)).size).toBe(3);
  });

  it('given a change of a stranger, then secrets, saving of caches and other hosts are withheld and the sandbox stays', () => {
    const given = untrusted();
    const rules = { ...inputsFor(FILES, FILES).rules, trustedIsolation: 'process' as const };
    const [, job] = planFor({ 'src/a.c': 'b' }, { ...given, rules }).jobs;
    expect(job).toMatchObject({ secrets: [], egress: { allow: ['registry.npmjs.org'] } });
    expect(job?.requirements.isolation).toBe('sandbox');
    expect(job).not.toHaveProperty('idTokens');
    expect(JSON.stringify(job?.explanation.chain)).toContain(
      'secret NPM_TOKEN, token CLOUD, token BOTH and saving of cache',
    );
  });

  it('given a policy of a stranger, then it may tighten the limits of the run and not loosen them', () => {
    const policy = { ...inputsFor(FILES, FILES).policy, maxConcurrency: 1, runTimeoutMs: 10_000 };
    expect(planFor({ 'src/a.c': 'b' }, { ...untrusted(), policy }).policy).toMatchObject({
      maxConcurrency: 1,
      runTimeoutMs: 10_000,
    });
  });

  it('given a file that cannot be followed, then planning fails and discovery is not asked', () => {
    const after = {
      ...FILES,
      'delta.yaml': 'version: 1\njobs:\n  a: {}\n',
      'package.json': '{"scripts":{"test":"x"}}',
    };
    expect(planChange(inputsFor(FILES, after))).toMatchObject({
      ok: false,
      code: 'invalid_config',
      message: expect.stringMatching(/^delta\.yaml:3:3: jobs\.a\.steps: /u),
    });
  });

  it('given a file without jobs, then discovery plans and its limits and hosts hold', () => {
    const files = {
      'delta.yaml': 'version: 1\njobs: {}\nlimits: { memory: 1Gi }\negress: { allow: [only.example.org] }\n',
      'package.json': '{"scripts":{"test":"x"},"dependencies":{"y":"1"}}',
    };
    const [job] = planned(null, files).jobs;
    expect(job).toMatchObject({ egress: { allow: ['only.example.org'] }, limits: { memoryBytes: 1024 ** 3 } });
  });

  it('given paths that leave nothing to run, then there is a plan without jobs', () => {
    const files = {
      'delta.yaml': 'version: 1\njobs: { a: { steps: [x], paths: [src/**] } }\n',
      'src/a': '1',
      other: '1',
    };
    const plan = planned(files, { ...files, other: '2' });
    expect(plan.jobs).toEqual([]);
    expect(plan.summary).toBe('other changed since bbbbbbbb. The only job does not run. Skipped: a.');
  });
});
