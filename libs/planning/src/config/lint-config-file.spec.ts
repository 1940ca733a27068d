import { describe, expect, it } from '@jest/globals';
import { lintConfigFile, warningsOfConfigFile } from './lint-config-file.ts';

const problems = (text: string): string[] =>
  lintConfigFile(text, 'delta.yaml').map(({ line, column, message }) => `${line}:${column} ${message}`);

const file = (jobs: string): string => `version: 1\njobs:\n${jobs}`;

/** Eight jobs of 128 combinations each, and one that needs them all. */
const MANY = ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7'];
const ROWS = '{ steps: [x], matrix: { x: [0, 1, 2, 3, 4, 5, 6, 7], y: [0, 1, 2, 3, 4, 5, 6, 7], z: [0, 1] } }';
const MANY_NEEDS = file(
  `  a: { steps: [x], needs: [${MANY.join(', ')}] }\n${MANY.map((name) => `  ${name}: ${ROWS}\n`).join('')}`,
);

const ELEVEN_SERVICES = Array.from({ length: 11 }, (_, at) => `s${at}: { image: "redis:8" }`).join(', ');

describe('what is wrong with a configuration file, and where', () => {
  it('given a file that can be followed, then there is no problem', () => {
    const text = file(`  build:
    steps: [npm ci, npm run build]
  unit:
    needs: [build]
    toolchain: node@{matrix:node}
    matrix: { node: [22, 24], pg: [16, 17] }
    steps: [npm test]
    services: { db: { image: "postgres:{matrix:pg}", ports: [5432], health: { command: pg_isready } } }
    paths: [packages/**, "!**/*.md"]
    caches: [{ type: deps, key: "npm-{hash:package-lock.json}", paths: [~/.npm] }]
policies: { runs: { fail_fast: false } }
limits: { cpu: "2", memory: 4Gi }
egress: { allow: [registry.example.org] }
`);
    expect(problems(text)).toEqual([]);
    expect(warningsOfConfigFile(text, 'delta.yaml')).toEqual([
      {
        line: 10,
        column: 5,
        message: expect.stringMatching(/^no runner offers services \(db\): a mesh refuses the plan/u),
      },
    ]);
  });

  it('given what comes to nothing, then it is warned of, with what is probably meant', () => {
    const text = file(`  a:
    steps: [x]
    paths: ['!docs/**', lib/**]
    secrets: [NPM_TOKEN]
    id_tokens: { CLOUD: { aud: cloud } }
    env: { NPM_TOKEN: x, CLOUD: x, DELTA_JOB: x, MODE: x }
  b:
    steps: [x]
    paths: ['!docs/**']
`);
    expect(problems(text)).toEqual([]);
    expect(
      warningsOfConfigFile(text, 'delta.yaml').map(({ line, column, message }) => `${line}:${column} ${message}`),
    ).toEqual([
      "8:12 steps find the job's secret under NPM_TOKEN, and never this value",
      "8:26 steps find the job's secret under CLOUD, and never this value",
      '8:36 DELTA_JOB is for what Delta CI tells its jobs: name it another way',
      '11:5 patterns with ! alone match nothing: name what counts before them, all with "**"',
    ]);
  });

  it('given a file with problems, or one that asks for no more than runners have, then it is warned of nothing', () => {
    const services = '    services: { db: { image: "postgres:17" } }\n';
    for (const text of [
      file(`  a:\n    stepz: [x]\n${services}`),
      file('  a: { steps: [x], services: {} }\n'),
      'a: [',
    ]) {
      expect(warningsOfConfigFile(text, 'delta.yaml')).toEqual([]);
    }
  });

  it.each([
    [
      'an unknown key of a job',
      file('  unit:\n    stepz: [x]\n'),
      ['3:3 jobs.unit.steps: missing, expected a list', '4:5 unknown key "stepz"; did you mean "steps"?'],
    ],
    [
      'entries of an allow-list that lead nowhere',
      'version: 1\njobs: {}\negress:\n  allow:\n    - registry.example.org\n    - https://registry.example.org/\n    - 10.0.0.0/8\n',
      [
        '6:7 "https://registry.example.org/": expected a host and no URL: registry.example.org',
        '7:7 "10.0.0.0/8": expected a host: ',
      ],
    ],
    [
      'an unknown key at the top',
      'version: 1\njobs: {}\nlimit: {}\n',
      ['3:1 unknown key "limit"; did you mean "limits"?'],
    ],
    [
      'keys at another place than theirs',
      'version: 1\nfail_fast: true\njobs:\n  a:\n    steps: [x]\n    egress: {}\n    retries: 1\nsteps: [x]\n',
      [
        '2:1 unknown key "fail_fast"; it is a key of policies: policies: { runs: { fail_fast: ... } }',
        '6:5 unknown key "egress"; it is a key of the file, for all of its jobs',
        `7:5 unknown key "retries"; it is a key of the job's policy: policy: { retries: ... }`,
        '8:1 unknown key "steps"; it is a key of a job, below jobs',
      ],
    ],
    [
      'keys of other systems',
      file('  a:\n    script: [x]\n    steps: [x]\n    timeout: 5\n    constructor: 1\n'),
      [
        '4:5 unknown key "script"; here it is steps',
        '6:5 unknown key "timeout"; here it is policy: { timeout_seconds: ... }',
        '7:5 unknown key "constructor"; known here: ',
      ],
    ],
    [
      'names and values of no shape',
      file('  Test: {}\n  a: { steps: [x], secrets: [npm], env: { 1A: x } }\nlimits: { cpu: 2 }\n'),
      [
        '3:3 jobs.Test: expected up to 100 lower-case letters, digits, "-" or "_"',
        '4:30 jobs.a.secrets.0: expected up to 128 capitals, digits or "_", a capital first: NPM_TOKEN',
        '4:43 jobs.a.env.1A: expected up to 128 letters, digits or "_", no digit first: NODE_ENV',
        '5:16 limits.cpu: expected text, not 2: put it in quotes, "2"',
      ],
    ],
    [
      'limits of nothing',
      'version: 1\njobs: {}\nlimits: { cpu: "0.0", memory: 0Gi }\n',
      [
        '3:16 limits.cpu: expected a number of processors such as "2" or "0.5"',
        '3:31 limits.memory: expected a size such as 512Mi or 4Gi',
      ],
    ],
    [
      'an unknown key of a policy',
      file('  a:\n    steps: [x]\n    policy:\n      retry: 1\n'),
      ['6:7 unknown key "retry"; did you mean "retries"?'],
    ],
    [
      'an unknown key of a source',
      file('  a:\n    steps: [x]\n    source: { submodule: true }\n'),
      ['5:15 unknown key "submodule"; did you mean "submodules"?'],
    ],
    [
      'a key that is like no other',
      file('  a:\n    steps: [x]\n    zzzzzzzzzz: 1\n'),
      ['5:5 unknown key "zzzzzzzzzz"; known here: '],
    ],
    [
      'a value of the wrong kind',
      file('  a:\n    steps: npm test\n'),
      ['4:12 jobs.a.steps: expected a list, not text'],
    ],
    ['a version we do not have', 'version: 2\njobs: {}\n', ['1:10 version: expected 1']],
    [
      'a need of nobody',
      file('  build:\n    steps: [x]\n  test:\n    steps: [x]\n    needs: [biuld]\n'),
      ['7:13 there is no job "biuld"; did you mean "build"?'],
    ],
    [
      'needs in a circle',
      file('  a: { steps: [x], needs: [b] }\n  b: { steps: [x], needs: [c] }\n  c: { steps: [x], needs: [a] }\n'),
      ['these jobs wait for each other: a -> b -> c -> a'],
    ],
    ['a job that needs itself', file('  a: { steps: [x], needs: [a] }\n'), ['these jobs wait for each other: a -> a']],
    [
      'a folder outside',
      file('  a:\n    steps: [x]\n    workdir: ../..\n'),
      ['5:14 workdir "../.." leads out of the repository'],
    ],
    [
      'a matrix without bounds',
      file(`  a:\n    steps: [x]\n    matrix: { x: [${'1,'.repeat(49)}1], y: [${'1,'.repeat(49)}1] }\n`),
      ['5:13 the matrix makes 2500 jobs'],
    ],
    [
      'a name that is not in the matrix',
      file('  a:\n    steps: [x]\n    image: node:{matrix:nod}\n'),
      ['{matrix:nod} names nothing'],
    ],
    [
      'a value of a matrix twice',
      file('  a:\n    steps: [x]\n    matrix: { node: [22, 24, "22"] }\n'),
      ['5:30 the row node has 22 twice'],
    ],
    [
      'a matrix in a step',
      file('  a:\n    matrix: { node: [22] }\n    steps: ["run {matrix:node}"]\n'),
      ['5:13 {matrix:node} is not filled in here; steps have it as $MATRIX_NODE'],
    ],
    [
      'a value that leads a folder outside',
      file('  a:\n    steps: [x]\n    workdir: x/{matrix:at}\n    matrix: { at: [y, ../..] }\n'),
      ['5:14 workdir "x/../.." leads out of the repository'],
    ],
    [
      'a value that makes no toolchain',
      file('  a:\n    steps: [x]\n    toolchain: node@{matrix:node}\n    matrix: { node: ["2 4"] }\n'),
      ['5:16 expected a name and a version such as node@24, not "node@2 4"'],
    ],
    [
      'a name in an artifact that is not in the matrix',
      file('  a:\n    steps: [x]\n    artifacts: [{ type: file, path: "{matrix:os}.zip" }]\n'),
      ['{matrix:os} names nothing'],
    ],
    [
      'artifacts and caches outside',
      file(
        '  a:\n    steps: [x]\n    artifacts: [{ type: file, path: /etc/passwd }]\n    caches: [{ type: deps, key: k, paths: [a, ~/../b] }]\n',
      ),
      ['5:37 artifact "/etc/passwd" leads out of the repository', '6:47 cache "~/../b" leads out of the repository'],
    ],
    ['more needs than a job can have', MANY_NEEDS, ['3:27 it would wait for 1024 jobs; at most 1000 can be needed']],
    [
      'a folder that is a pattern, or everything',
      file('  a:\n    steps: [x]\n    artifacts: [{ type: folder, path: "dist/**" }, { type: folder, path: ./ }]\n'),
      ['5:39 "dist/**" is not one folder below the root', '5:74 "./" is not one folder'],
    ],
    [
      'a service of no particular image',
      file('  a:\n    steps: [x]\n    services:\n      db: { image: postgres }\n'),
      ['6:20 "postgres" is no image with a tag or a digest'],
    ],
    [
      'a service that no host can be called by',
      file('  a:\n    steps: [x]\n    services:\n      "My DB": { image: "postgres:17" }\n'),
      ['6:7 '],
    ],
    [
      'more services than run beside a job',
      file(`  a:\n    steps: [x]\n    services: { ${ELEVEN_SERVICES} }\n`),
      ['5:15 11 services are named; at most 10 can run beside a job'],
    ],
    [
      'a job that is required and may fail',
      file('  a:\n    steps: [x]\n    policy: { required: true, allow_failure: true }\n'),
      ['5:25 a job that may fail (allow_failure) is not required'],
    ],
    [
      'a toolchain without version',
      file('  a:\n    steps: [x]\n    toolchain: node\n'),
      ['5:16 expected a name and a version'],
    ],
    ['a pattern that is not read', file('  a:\n    steps: [x]\n    paths: ["!(a)b"]\n'), []],
    ['a key twice', 'version: 1\nversion: 1\njobs: {}\n', ['2:1 Map keys must be unique']],
    ['no YAML', 'version: [1\njobs: {}\n', ['2:']],
    ['an empty file', '', ['1:1 the file: expected keys with values, not nothing']],
    [
      'aliases that multiply',
      `version: 1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`,
      ['1:1 its aliases cannot be followed'],
    ],
    [
      'keys that would be lost',
      file('  __proto__:\n    steps: [x]\n  a:\n    steps: [x]\n    env: { __proto__: "z" }\n'),
      ['3:3 the key "__proto__" cannot be used', '7:12 the key "__proto__" cannot be used'],
    ],
    ['a NUL', file('  a:\n    steps: ["x\\0y"]\n'), ['4:13 a NUL character cannot be handed to a job']],
    ['half a character', file('  a:\n    steps: ["\\ud800"]\n'), ['4:13 a text holds half of a surrogate pair']],
    ['brackets without end', '['.repeat(50_000), ['1:1 delta.yaml nests too deeply']],
  ])('given %s, then the message says where and what', (_what, text, expected) => {
    const found = problems(text);
    for (const each of expected) expect(found.join('\n')).toContain(each);
    expect(found.length > 0).toBe(expected.length > 0);
  });
});
