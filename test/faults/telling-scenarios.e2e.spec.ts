import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { playScenario } from './run-scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/** A scenario, the checker after it, and a mesh before and behind, on a machine that does other things too. */
const LIMIT_MS = 300_000;

/** Those that say most for their time; `npm run faults` plays all of them. */
const TELLING = ['orchestrator-killed', 'commit-answers-lost', 'runners-cut-off', 'poison-reports'];

describe('faults that are told in every test run', () => {
  let out = '';
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'delta-faults-'));
  });
  afterAll(async () => rm(out, { recursive: true, force: true }));

  it('are scenarios there are', () => {
    expect(SCENARIOS.map(({ name }) => name)).toEqual(expect.arrayContaining(TELLING));
  });

  it.each(SCENARIOS.filter(({ name }) => TELLING.includes(name)).map((scenario) => [scenario.name, scenario] as const))(
    '%s: every invariant is put to the test and holds',
    async (_name, scenario) => {
      const { why, verdict } = await playScenario(scenario, { out, signal: new AbortController().signal });
      expect(why).toEqual([]);
      expect(verdict?.holds).toBe(true);
    },
    LIMIT_MS,
  );
});
