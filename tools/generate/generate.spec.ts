import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { outdated, repositoryRoot } from './checked-in.ts';
import { generators } from './generators.ts';
import { membersOf } from './schema-shape.ts';
import { EVENT_DATA } from '@delta-ci/contracts';

describe('generated pages', () => {
  it.each(generators.map((generator) => [generator.title, generator] as const))(
    '%s: what is checked in is what would be written',
    async (_, generator) => {
      expect(await outdated(generator)).toEqual([]);
    },
  );

  it('are written by one generator each', async () => {
    const paths = (await Promise.all(generators.map(({ files }) => files()))).flatMap((files) => Object.keys(files));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it('that differ from what is checked in are noticed', async () => {
    const stale = {
      title: 'stale',
      files: () => Promise.resolve({ 'docs/state-machines.md': 'old', 'docs/none.md': '' }),
    };
    expect(await outdated(stale)).toEqual(['docs/state-machines.md', 'docs/none.md']);
  });
});

describe('the reference', () => {
  it('names schemas of the contracts, lists, choices and what may be null', () => {
    expect(membersOf(EVENT_DATA['run.created'])).toEqual([
      'runId: RunId',
      'repository: Repository',
      'change: Change',
      'policy: RunPolicy',
      'rerun: RerunSource or null',
    ]);
    expect(membersOf(EVENT_DATA['lease.stale-report-refused'])).toContain(
      'reason: expired / revoked / unknown / superseded',
    );
    expect(membersOf(EVENT_DATA['run.planned'])).toContain('jobs: list of PlannedJobState');
  });
});

describe('the JSON Schema of the config file', () => {
  const unit = {
    image: 'node:24',
    needs: ['build'],
    steps: ['npm ci', 'npm test'],
    matrix: { node: [22, 24] },
    env: { CI: 'true' },
    secrets: ['NPM_TOKEN'],
    artifacts: [{ type: 'junit', path: 'reports/**/*.xml', retention_days: 14 }],
    policy: { required: true, retries: 1, timeout_seconds: 1800 },
  };
  const example = {
    version: 1,
    jobs: { unit },
    policies: { runs: { cancel_superseded: true, max_concurrency: 8 } },
    limits: { cpu: '2', memory: '4Gi' },
    egress: { allow: ['registry.example.org'] },
  };

  async function complaints(file: object): Promise<string[]> {
    const text = await readFile(join(repositoryRoot, 'docs/reference/delta.schema.json'), 'utf8');
    const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(text) as object);
    validate(file);
    return (validate.errors ?? []).map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
  }

  it('takes an ordinary file', async () => expect(await complaints(example)).toEqual([]));

  it.each([
    ['an unknown key', { ...example, jobs: { unit: { ...unit, need: [] } } }, '/jobs/unit additionalProperties'],
    ['another version', { ...example, version: 2 }, '/version const'],
    ['a job without steps', { ...example, jobs: { a: {} } }, '/jobs/a required'],
    ['a job name that cannot be a file name', { ...example, jobs: { '../a': unit } }, '/jobs propertyNames'],
  ])('complains of %s', async (_, file, complaint) => {
    expect(await complaints(file)).toContain(complaint);
  });
});
