import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Plan } from '@delta-ci/contracts';
import { parsePlan } from './finished-plan.ts';
import { HOSTILE_OBJECTS } from './hostile/objects.fixture.ts';
import { HostilePlace, wrongWith, type Hostile } from './hostile/place.fixture.ts';
import { HOSTILE_TEXTS } from './hostile/texts.fixture.ts';
import { GrowthOfMemory } from '../../../test/support/growth-of-memory.ts';
import { PLAN_BYTES_MAX } from './plan-to-text.ts';
import { RunningPlanner, type PlannerReport } from './running-planner.fixture.ts';

/**
 * Repositories that were made to hurt, through the whole service: each gets its refusal by name, or the plan it should have,
 * within bounds of time; and behind each of them an innocent change is planned as ever.
 */

const HOSTILE: readonly (readonly [string, Hostile])[] = Object.entries({ ...HOSTILE_OBJECTS, ...HOSTILE_TEXTS });

/** So long may planning take here. */
const TIME_LIMIT_MS = 20_000;
/** What planning adds at most: a plan's thread, what is remembered, two listings of a million files. */
const MEMORY_BYTES_MAX = 3 * 1_024 ** 3;

describe(`${HOSTILE.length} hostile repositories`, () => {
  let memory: GrowthOfMemory;
  let planner: RunningPlanner;
  let place: HostilePlace;
  let innocents: string[];
  let runs = 0;

  beforeAll(async () => {
    memory = await GrowthOfMemory.fromNow();
    planner = await RunningPlanner.start({ DELTA_PLANNING_TIME_LIMIT_MS: `${TIME_LIMIT_MS}` });
    place = await HostilePlace.in(planner.gitDir);
    innocents = await place.innocents(HOSTILE.length);
  });
  afterAll(async () => planner.stop());

  async function reportOn(change: Parameters<RunningPlanner['create']>[1]): Promise<PlannerReport> {
    runs += 1;
    return planner.reportOn(await planner.create(runs, change), TIME_LIMIT_MS * 4);
  }

  it.each(HOSTILE)(
    'given %s, then it leads to what it should, and the next change is planned',
    async (_, hostile) => {
      const head = await hostile.make(place);
      const report = await reportOn({ base: place.base, head, ...hostile.change });
      expect(wrongWith(hostile.expected, await answerOf(report))).toEqual([]);

      const innocent = await reportOn({ base: place.base, head: innocents.pop() ?? '' });
      const plan = await answerOf(innocent);
      expect(typeof plan === 'string' ? plan : plan.jobs.map(({ key }) => key)).toEqual([
        'test-packages-cart',
        'test-packages-money',
      ]);
    },
    120_000,
  );

  it('given all of them, then nothing of what they wanted to be run was run', async () => {
    for (const directory of [planner.gitDir, process.cwd(), '/']) {
      expect((await readdir(directory)).filter((name) => name.includes('HACKED'))).toEqual([]);
    }
    await expect(access(join(planner.gitDir, 'hooks', 'post-checkout'))).rejects.toThrow('ENOENT');
  });

  it('given all of them, then planning them never took more memory than an ordinary machine has', async () => {
    expect(await memory.peakBytes()).toBeLessThan(MEMORY_BYTES_MAX);
  });

  /** The plan that was proposed, a large one being reported by its digest alone; or the name of the refusal. */
  async function answerOf({ data }: PlannerReport): Promise<Plan | string> {
    if ('code' in data) return data.code;
    const kept = data.plan ?? parsePlan(await planner.store.content.read(data.digest, PLAN_BYTES_MAX));
    return kept ?? 'a plan of another shape';
  }
});
