import type { AttemptView, JobView, MomentView, RunView, WhyItWaits } from '@delta-ci/contracts';
import type { Gateway } from '../api/gateway.ts';

/** Runs of a page of a moment: as many as a gateway gives at once. */
const RUNS_OF_PAGE = 500;

type Queued = MomentView['queue'][number];

/** As much of a run as says which of its jobs wait, and when. */
export type SeenRun = Pick<RunView, 'runId' | 'position'> & {
  readonly jobs: readonly (Pick<JobView, 'key'> & { readonly attempts: readonly Pick<AttemptView, 'state'>[] })[];
};

/** Jobs that wait for a runner, by their keys. */
const waitingIn = ({ jobs }: SeenRun): string[] =>
  jobs.flatMap(({ key, attempts }) => (attempts.at(-1)?.state === 'queued' ? [key] : []));

/** What is in the way of the same jobs changes with the pool, and a gateway looks at all that is under way to tell it. */
const PATIENCE_MS = 10_000;

/** As `whyJobsWait`, for whoever looks at a run again and again: of the same waiting jobs the gateway is asked now and then. */
export function watchedWaits(
  gateway: Pick<Gateway, 'at'>,
  nowMs: () => number,
): (view: SeenRun) => Promise<ReadonlyMap<string, string>> {
  let last = { keys: '', atMs: Number.NEGATIVE_INFINITY, waits: new Map() as ReadonlyMap<string, string> };
  return async (view) => {
    const keys = waitingIn(view).join(' ');
    if (keys !== last.keys || nowMs() - last.atMs >= PATIENCE_MS)
      last = { keys, atMs: nowMs(), waits: await whyJobsWait(gateway, view) };
    return last.waits;
  };
}

/**
 * Of the jobs of a run that wait for a runner at the view's position: what is in their way, in present words; nothing of
 * those whose turn is about to come. The gateway is asked only when some wait.
 */
export async function whyJobsWait(gateway: Pick<Gateway, 'at'>, view: SeenRun): Promise<ReadonlyMap<string, string>> {
  const queue = waitingIn(view).length > 0 ? await queueOf(gateway, view) : [];
  return new Map(
    queue.flatMap(({ jobKey, pool, why }) => {
      const words = waitingWords(pool, why);
      return words === null ? [] : [[jobKey, words] as const];
    }),
  );
}

async function queueOf(gateway: Pick<Gateway, 'at'>, { runId, position }: SeenRun): Promise<Queued[]> {
  for (let cursor: string | undefined; ;) {
    const page = await gateway.at(String(position), { limit: RUNS_OF_PAGE, cursor });
    if (page.runs.some((run) => run.runId === runId) || page.nextCursor === null)
      return page.queue.filter((queued) => queued.runId === runId);
    cursor = page.nextCursor;
  }
}

/** Null for reasons that pass by themselves. */
export function waitingWords(pool: string, { reason, mismatches, capacity }: WhyItWaits): string | null {
  const held = capacity.length === 0 ? '' : ` (capacity was held back: ${capacity.join('; ')})`;
  if (reason === 'no-runner-matches') return `no runner of pool ${pool} can take it: ${mismatches.join('; ')}`;
  if (reason === 'no-runner') return `pool ${pool} has no runner${held}`;
  if (reason === 'no-runner-free')
    return `every runner of pool ${pool} that could take it is busy or has had its job${held}`;
  return null;
}
