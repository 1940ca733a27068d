import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileArtifactStore, digestOf } from '@delta-ci/artifact-store';
import type { ReportOutcome } from '@delta-ci/bus';
import {
  canonicalJson,
  refuse,
  type Json,
  type Plan,
  type RecordedEventOf,
  type RunOutcome,
} from '@delta-ci/contracts';
import { createLogger, createRedactor } from '@delta-ci/service';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { aPlan } from '../../../test/support/made-up/plan.ts';
import { aRecipe } from '../../../test/support/made-up/recipe.ts';
import { ConcernedRuns } from './concerned-runs.ts';
import { finishedPlan } from './finished-plan.ts';
import { onRunFinished } from './on-run-finished.ts';
import { storePlan } from './plan-store.ts';

const RUN = `run_${'1'.repeat(32)}`;
const FINGERPRINT = `sha256:${'f'.repeat(64)}`;
const USED = {
  recipeId: `rcp_${'9'.repeat(32)}`,
  version: 1,
  digest: `sha256:${'d'.repeat(64)}`,
  learnedAt: '2026-01-02T03:04:05.678Z',
};
const TEACHES = { version: 2, rules: '8', recipe: aRecipe() };

const planWith = (recipe: NonNullable<Plan['source']['recipe']>): Plan =>
  aPlan({ source: { kind: 'recipe', evidence: 'a recipe', recipe } });
const TEACHING = planWith({ fingerprint: FINGERPRINT, used: null, stale: null, teaches: TEACHES });
const FOLLOWING = planWith({ fingerprint: FINGERPRINT, used: USED, stale: null, teaches: null });

describe('the end of a run', () => {
  let directory = '';
  let store: FileArtifactStore;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'delta-finished-'));
    store = new FileArtifactStore(directory);
  });
  afterEach(async () => rm(directory, { recursive: true, force: true }));

  interface Told {
    readonly sent: readonly { readonly kind: string; readonly data: unknown; readonly id: string }[];
    readonly lookedUp: number;
  }
  let swept: string[] = [];

  /** Handles the end of a run that had this plan; `known` tells whether this planner planned it. */
  async function end(
    plan: Plan,
    outcome: RunOutcome,
    { known = true, kept = true, shape = 'known', answer = { sent: true, repeated: false } as ReportOutcome } = {},
  ): Promise<Told> {
    const text = new TextEncoder().encode(canonicalJson(plan as Json));
    const { digest } = await storePlan(store, text);
    if (!kept) await rm(join(directory, 'objects'), { recursive: true });
    const concerned = new ConcernedRuns();
    if (known) concerned.keep(RUN, { plan, digest });
    const sent: Told['sent'][number][] = [];
    let lookedUp = 0;
    const tools = {
      concerned,
      planOfTrustedRun: async () => {
        lookedUp += 1;
        return digest;
      },
      readPlan: async (read: Uint8Array) =>
        shape === 'known' ? finishedPlan(read) : { code: 'planning_too_large', message: 'too large' },
      store,
      sweep: async (repository: string, fingerprint: string) => {
        swept.push(`${repository} ${fingerprint}`);
        throw new Error('the log does not answer');
      },
      reports: {
        send: async (kind: string, data: unknown, { id }: { readonly id: string }) => {
          sent.push({ kind, data, id });
          return answer;
        },
      },
      logger: createLogger({
        service: 'planner',
        instance: 'test',
        level: 'fatal',
        pretty: false,
        redactor: createRedactor([]),
      }),
    };
    await onRunFinished(tools as never, finished(outcome));
    return { sent, lookedUp };
  }

  it('given a plan that teaches, when its run succeeds, then the recipe is kept, and reported under what it proves', async () => {
    const one = await end(TEACHING, 'succeeded');
    expect(one).toMatchObject({
      lookedUp: 0,
      sent: [{ kind: 'planner.recipe-proved', data: { version: 2, rules: '8' } }],
    });
    const other = await end({ ...TEACHING, summary: 'another run' }, 'succeeded');
    expect(other.sent[0]?.id).toBe(one.sent[0]?.id);
    expect(one.sent).toMatchObject([{ data: { recipeDigest: digestOf(canonicalJson(TEACHES.recipe)) } }]);
    expect(await store.content.size(digestOf(canonicalJson(TEACHES.recipe)))).not.toBeNull();
  });

  it('given a run that another planner planned, when it ends, then its plan is looked up', async () => {
    expect(await end(TEACHING, 'succeeded', { known: false })).toMatchObject({
      lookedUp: 1,
      sent: [{ kind: 'planner.recipe-proved' }],
    });
    expect(await end(FOLLOWING, 'failed', { known: false })).toMatchObject({
      sent: [{ kind: 'planner.recipe-failed' }],
    });
  });

  it.each<[string, Plan, RunOutcome]>([
    ['a plan that teaches, and failure', TEACHING, 'failed'],
    ['a plan that follows, and success', FOLLOWING, 'succeeded'],
    ['a run that was canceled', TEACHING, 'canceled'],
    ['a plan without recipes', aPlan(), 'succeeded'],
    ['a plan of strangers', { ...FOLLOWING, trust: 'untrusted' }, 'failed'],
  ])('given %s, then nothing is said, and nothing looked up', async (_, plan, outcome) => {
    expect(await end(plan, outcome)).toEqual({ sent: [], lookedUp: 0 });
  });

  it('given a plan by which some job runs otherwise than discovered, when its run fails, then that is told', async () => {
    const job = aPlannedJob('unit');
    const link = (rule: string) => ({ kind: 'job-rule' as const, rule, detail: 'because' });
    const told = (rules: readonly string[]): Plan['jobs'][number] => ({
      ...job,
      explanation: { ...job.explanation, chain: [...job.explanation.chain, ...rules.map(link)] },
    });
    const jobs = [told(['recipe']), { ...told(['recipe', 'not as discovered']), key: 'other' }];
    const { sent } = await end({ ...FOLLOWING, jobs }, 'failed');
    expect(sent).toMatchObject([{ data: { jobs: [job.key, 'other'], otherwise: ['other'] } }]);
  });

  it('given many versions before the one that is proven, then old ones are swept, whether that succeeds or not', async () => {
    swept = [];
    await end(TEACHING, 'succeeded');
    expect(swept).toEqual([]);
    const later = { ...TEACHES, version: 11 };
    await end(planWith({ fingerprint: FINGERPRINT, used: null, stale: null, teaches: later }), 'succeeded');
    expect(swept).toEqual([`${TEACHING.repository.id} ${FINGERPRINT}`]);
  });

  it('given a plan that is no longer kept, then nothing is learned', async () => {
    expect(await end(TEACHING, 'succeeded', { kept: false })).toMatchObject({ sent: [] });
  });

  it('given a plan that is more than can be read, then nothing is learned', async () => {
    expect(await end(TEACHING, 'succeeded', { shape: 'too large' })).toMatchObject({ sent: [] });
  });

  it('given a report that is not taken, then the event comes again', async () => {
    const answer: ReportOutcome = { sent: false, refusal: refuse('unavailable', 'no bus') };
    await expect(end(TEACHING, 'succeeded', { answer })).rejects.toThrow('no bus');
  });

  it('given more runs than are remembered, then the oldest is forgotten', () => {
    const concerned = new ConcernedRuns(2);
    for (const run of ['run_1', 'run_2', 'run_3']) concerned.keep(run, { plan: TEACHING, digest: FINGERPRINT });
    expect(['run_1', 'run_2', 'run_3'].map((run) => concerned.find(run)?.proves)).toEqual([undefined, true, true]);
  });
});

function finished(outcome: RunOutcome): RecordedEventOf<'run.finished'> {
  return {
    type: 'run.finished',
    id: '01900000-0000-7000-8000-000000000001',
    position: 9,
    stream: `run-${RUN}`,
    version: 9,
    schemaVersion: 1,
    time: '2026-01-02T03:04:05.678Z',
    actor: { kind: 'service', name: 'orchestrator' },
    correlation: RUN,
    causation: 'command-1',
    traceparent: null,
    prevHash: '',
    hash: '',
    data: { outcome, reason: 'it is over' },
  };
}
