import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DEFAULT_JOB_POLICY, JobKind } from '@delta-ci/contracts';
import { DEFAULT_PLANNING_RULES } from '../default-rules.ts';
import { assessChange } from '../impact/assess-change.ts';
import { aUnit } from '../made-up-unit.fixture.ts';
import { planned } from '../planned-repository.fixture.ts';
import type { Discovery, Unit } from '../model.ts';
import { constructJobs, type Construction } from './construct-jobs.ts';
import { storyOf } from './explain.ts';
import { KIND_DECISIONS, PRIORITY_MAX, policyOfKind } from './job-decisions.ts';
import { termsOf } from './job-terms.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

const LOCKED = JSON.stringify({
  name: 'shop',
  lockfileVersion: 3,
  packages: {
    '': { dependencies: { left: '1' } },
    'node_modules/left': { version: '1.0.0', resolved: 'https://registry.npmjs.org/left/-/left-1.0.0.tgz' },
  },
});

describe('what is decided about jobs by their kind', () => {
  it.each(JobKind.options)('given %s, then the README says with which priority it goes, and why', (kind) => {
    const { priority, reason } = KIND_DECISIONS[kind];
    const cells = README.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    expect(cells).toContainEqual([
      '',
      expect.stringContaining(`\`${kind}\``),
      String(priority),
      expect.stringContaining(reason),
      '',
    ]);
  });

  it('given what is quick and what is long, then the quick goes first, and nobody else’s wish is beaten by it', () => {
    const priorityOf = (kind: JobKind): number => policyOfKind(kind).priority;
    expect(priorityOf('lint')).toBeGreaterThan(priorityOf('build'));
    expect(priorityOf('build')).toBeGreaterThan(priorityOf('test'));
    expect(priorityOf('custom')).toBe(0);
    expect(PRIORITY_MAX).toBeLessThan(100);
  });

  it('given a repository, then its jobs leave nothing to decide', () => {
    const manifest = {
      name: 'shop',
      scripts: { test: 'jest --reporters=jest-junit', lint: 'eslint .' },
      dependencies: { left: '1' },
      engines: { node: '24' },
    };
    const plan = planned(null, { 'package.json': JSON.stringify(manifest), 'package-lock.json': LOCKED });
    const [lint, test] = ['lint', 'test'].map((kind) => plan.jobs.find((job) => job.kind === kind));
    expect(test).toMatchObject({
      needs: [],
      image: null,
      secrets: [],
      artifacts: [{ type: 'junit', path: 'junit.xml', retentionDays: 14 }],
      caches: [
        {
          type: 'deps',
          key: expect.stringMatching(/^npm-packages-linux-node@24-[0-9a-f]{8}-[0-9a-f]{40}$/u),
          paths: ['~/.npm/_cacache'],
        },
      ],
      policy: DEFAULT_JOB_POLICY,
    });
    expect(lint).toMatchObject({
      artifacts: [],
      caches: test?.caches,
      policy: { ...DEFAULT_JOB_POLICY, priority: 10 },
    });
  });
});

function constructed(units: readonly Unit[], changed: readonly string[]): Construction {
  const discovery: Discovery = { units, edges: [], problems: [] };
  const changes = changed.map((path) => ({ status: 'M' as const, path }));
  const story = storyOf(discovery, assessChange(discovery, discovery, changes), changes.length, []);
  const limits = { cpuCount: 1, memoryBytes: 1, diskBytes: 1, pids: 1 };
  return constructJobs(story, termsOf({ rules: DEFAULT_PLANNING_RULES, trust: 'trusted', limits, entries: [] }));
}

describe('a unit that is affected and for which no job runs', () => {
  it('given a file that only jobs read which it does not have, then it says so', () => {
    const step = { name: 'test', run: 'x', workdir: 'a' };
    const unit = aUnit('a', {
      commands: [{ kind: 'test', step, evidence: 'x', text: 'x', reports: [], outputs: [], joins: null }],
      inputs: [{ paths: ['rules.txt'], kinds: ['lint'], evidence: 'a linter reads it' }],
    });
    const { jobs, units } = constructed([unit], ['rules.txt']);
    expect(jobs).toEqual([]);
    expect(units[0]).toMatchObject({ affected: true });
    expect(units[0]?.explanation.sentence).toMatch(/ None of its jobs can notice\.$/u);
    expect(units[0]?.explanation.chain).toContainEqual({
      kind: 'job-rule',
      rule: 'no job notices',
      detail: 'only lint jobs can notice, and it has none',
    });
  });
});
