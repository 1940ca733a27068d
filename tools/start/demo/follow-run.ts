import type { DomainEventOf, FeedEvent, RunView } from '@delta-ci/contracts';
import type { Screen } from '../screen.ts';
import type { Api } from './api.ts';

/** A run that takes longer than this in the demonstration hangs. */
const PATIENCE_MS = 120_000;

/** Shows a run while it happens, until the forge shows its end and every failure is explained. @throws Error when it hangs */
export async function followRun(api: Api, runId: string, screen: Screen): Promise<RunView> {
  const over = AbortSignal.timeout(PATIENCE_MS);
  const story = { reported: false, unexplained: new Set<string>() };
  try {
    for await (const event of api.events(runId, over)) {
      await show(api, runId, event, screen);
      follow(story, event);
      if (story.reported && story.unexplained.size === 0) return await api.run(runId);
    }
  } catch (error) {
    if (over.aborted) throw new Error(`run ${runId} did not end within ${PATIENCE_MS / 1_000} s`, { cause: error });
    throw error;
  }
  throw new Error(`the gateway ended the events of ${runId} before the run was over`);
}

function follow(story: { reported: boolean; unexplained: Set<string> }, event: FeedEvent): void {
  if (event.type === 'run.reported') story.reported = true;
  if (event.type !== 'attempt.finished' && event.type !== 'failure.explained') return;
  const { jobKey, attempt } = event.data as DomainEventOf<'attempt.finished' | 'failure.explained'>['data'];
  const failed = event.type === 'attempt.finished' && (event.data as { outcome: string }).outcome === 'failed';
  if (failed) story.unexplained.add(`${jobKey}.${attempt}`);
  if (event.type === 'failure.explained') story.unexplained.delete(`${jobKey}.${attempt}`);
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
    screen.detail(`${screen.style('green', 'run ')} ${job.title}: ${job.explanation.sentence}`);
  for (const job of plan.skipped)
    screen.detail(`${screen.style('dim', 'skip')} ${job.title}: ${job.explanation.sentence}`);
}

function showExplanation({ jobKey, explanation }: DomainEventOf<'failure.explained'>['data'], screen: Screen): void {
  screen.event(`  ${jobKey}: ${screen.style('yellow', explanation.headline)}`);
  const { location } = explanation;
  const where = location === null ? '' : ` at ${location.path}${location.line === null ? '' : `:${location.line}`}`;
  screen.detail(`${explanation.class}/${explanation.category}, ${explanation.confidence} confidence${where}`);
  for (const { name, path, line, message } of explanation.failedTests.slice(0, 5)) {
    screen.detail(`✗ ${name}${path === null ? '' : ` (${path}${line === null ? '' : `:${line}`})`}`);
    for (const said of message.split('\n').slice(0, 4)) screen.detail(`  ${said}`);
  }
  for (const { text } of explanation.sentences) screen.detail(text);
  screen.detail(`next: ${explanation.nextStep}`);
}
