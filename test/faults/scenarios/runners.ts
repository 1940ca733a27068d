import { eventually } from '../../support/infra/index.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** Runners: killed, frozen and out of reach. */
export const RUNNER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'runners-killed',
    hurts: 'the runner of a job, killed with -9; then that of its second attempt',
    shows: 'each attempt ends as lost, once, and the third one succeeds',
    slackMs: 15_000,
    act: async (stage) => {
      const { held, change } = await stage.runningChange('runner-dies');
      for (const attempt of [1, 2]) {
        await attemptRuns(stage, change.runId, attempt);
        process.kill((await stage.system.runnerOf(change.runId, 'first')).pid, 'SIGKILL');
      }
      await attemptRuns(stage, change.runId, 3);
      held.release();
      await stage.settle();
      return { 'attempts lost': await lostAttempts(stage) };
    },
  },
  {
    name: 'runner-frozen',
    hurts: 'the runner of a job, stopped by SIGSTOP for longer than its lease, and woken while another has the job',
    shows: 'what it says then is refused and recorded, and the other one finishes',
    slackMs: 15_000,
    requires: ['loss-noticed-in-time'],
    act: async (stage) => {
      const { held, change } = await stage.runningChange('runner-freezes');
      const { pid } = await stage.system.runnerOf(change.runId, 'first');
      process.kill(pid, 'SIGSTOP');
      stage.atTheEnd(() => wake(pid));
      await attemptRuns(stage, change.runId, 2);
      wake(pid);
      held.release();
      await stage.settle();
      return { frozen: 1, 'attempts lost': await lostAttempts(stage) };
    },
  },
  {
    name: 'runners-cut-off',
    hurts: 'everything between runners and the gateway, silent for longer than a lease, then delivered late',
    shows: 'leases run out and jobs start again; what was said under the old ones is refused and recorded',
    slackMs: 15_000,
    requires: ['stale-report-refused'],
    act: async (stage) => {
      const { held, change } = await stage.runningChange('runner-is-cut-off');
      stage.hops.gateway.stall();
      await eventually('the lease runs out', async () => (await lostAttempts(stage)) > 0);
      stage.hops.gateway.resume();
      await attemptRuns(stage, change.runId, 2);
      held.release();
      await stage.settle();
      return {
        'leases lost': await lostAttempts(stage),
        'late words refused': await eventCount(stage, 'lease.stale-report-refused'),
      };
    },
  },
];

async function attemptRuns(stage: Stage, runId: string, attempt: number): Promise<void> {
  await stage.system.runWhen(`has attempt ${attempt} running`, runId, ({ jobs }) =>
    jobs.some(({ key, attempts }) => {
      const newest = attempts.at(-1);
      return key === 'first' && newest?.attempt === attempt && newest.state === 'running';
    }),
  );
}

const lostAttempts = async (stage: Stage): Promise<number> => eventCount(stage, 'attempt.finished', 'lost');

async function eventCount(stage: Stage, type: string, outcome: string | null = null): Promise<number> {
  const [counted] = await stage.system.ask<{ count: number }>(
    `SELECT count(*)::int AS count FROM event_json WHERE type = $1 AND ($2::text IS NULL OR data ->> 'outcome' = $2)`,
    [type, outcome],
  );
  return counted?.count ?? 0;
}

/** One that has ended meanwhile does not mind. */
function wake(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
