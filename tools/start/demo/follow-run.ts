import type { DomainEventOf, FeedEvent, RunView } from '@delta-ci/contracts';
import type { Screen } from '../screen.ts';
import type { Api } from './api.ts';

/** A run that takes longer than this in the demonstration hangs. */
const PATIENCE_MS = 120_000;

/** Shows a run while it happens, until the forge shows its end. @throws Error when it does not get there in time */
export async function followRun(api: Api, runId: string, screen: Screen): Promise<RunView> {
  const over = AbortSignal.timeout(PATIENCE_MS);
  const explained = new Set<string>();
  try {
    for await (const event of api.events(runId, over)) {
      await show(api, runId, event, screen);
      if (event.type === 'failure.explained')
        explained.add((event.data as DomainEventOf<'failure.explained'>['data']).jobKey);
      if (isOver(await api.run(runId))) break;
    }
  } catch (error) {
    if (over.aborted) throw new Error(`run ${runId} did not end within ${PATIENCE_MS / 1_000} s`, { cause: error });
    throw error;
  }
  return api.run(runId);
}

/** Finished, shown by the forge, and every failed attempt explained. */
function isOver(view: RunView): boolean {
  const attempts = view.jobs.flatMap((job) => job.attempts);
  const unexplained = attempts.some(({ outcome, explanation }) => outcome === 'failed' && explanation === null);
  return view.state === 'finished' && view.reported && !unexplained;
}

async function show(api: Api, runId: string, event: FeedEvent, screen: Screen): Promise<void> {
  switch (event.type) {
    case 'run.created':
      return screen.event(`run ${screen.style('cyan', runId)} created`);
    case 'run.planned':
      return showPlan(api, runId, screen);
    case 'run.planning-failed':
      return screen.event(screen.style('red', `planning failed: ${(event.data as { message: string }).message}`));
    case 'lease.granted': {
      const { jobKey, runnerId } = event.data as DomainEventOf<'lease.granted'>['data'];
      return screen.event(`  ${jobKey}: taken by runner ${runnerId.slice(0, 12)}`);
    }
    case 'attempt.started': {
      const { jobKey } = event.data as DomainEventOf<'attempt.started'>['data'];
      return screen.event(`  ${jobKey}: running in its sandbox`);
    }
    case 'job.finished': {
      const { jobKey, outcome } = event.data as DomainEventOf<'job.finished'>['data'];
      return screen.event(`  ${jobKey}: ${screen.outcome(outcome)}`);
    }
    case 'failure.explained':
      return showExplanation(event.data as DomainEventOf<'failure.explained'>['data'], screen);
    case 'run.finished': {
      const { outcome, reason } = event.data as DomainEventOf<'run.finished'>['data'];
      return screen.event(`run ${screen.outcome(outcome)}: ${reason}`);
    }
    default:
  }
}

async function showPlan(api: Api, runId: string, screen: Screen): Promise<void> {
  const { plan, digest } = await api.plan(runId);
  screen.event(`plan ${digest.slice(0, 19)}: ${plan.summary}`);
  for (const job of plan.jobs)
    screen.line(`          ${screen.style('green', 'run ')} ${job.title}: ${job.explanation.sentence}`);
  for (const job of plan.skipped)
    screen.line(`          ${screen.style('dim', 'skip')} ${job.title}: ${job.explanation.sentence}`);
}

function showExplanation({ jobKey, explanation }: DomainEventOf<'failure.explained'>['data'], screen: Screen): void {
  screen.event(`  ${jobKey}: ${screen.style('yellow', explanation.headline)}`);
  const { location } = explanation;
  const where = location === null ? '' : ` at ${location.path}${location.line === null ? '' : `:${location.line}`}`;
  screen.line(`          ${explanation.class}/${explanation.category}, ${explanation.confidence} confidence${where}`);
  for (const { text } of explanation.sentences) screen.line(`          ${text}`);
  screen.line(`          next: ${explanation.nextStep}`);
}
