import { eventually } from '../../support/infra/index.ts';
import { ProtocolRunner } from '../../support/protocol-runner/protocol-runner.ts';
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
    name: 'late-report',
    hurts:
      'the patience of a lease: its runner says nothing for too long, and reports success when another has the job',
    shows: 'the late success is refused as stale, recorded, and changes nothing; what the other one reports counts',
    slackMs: 15_000,
    requires: ['loss-noticed-in-time', 'stale-report-refused'],
    act: async (stage) => {
      // By a runner with a sandbox: those who do nothing would take it as well, and leave no artifact.
      await stage.change('before-silence');
      await stage.settle();
      await stage.changeOfMany('taken-twice', 1, LABEL);
      const silent = await takeJob(stage, 'falls-silent');
      await eventually('the lease runs out', async () => (await lostAttempts(stage)) > 0);
      const other = await takeJob(stage, 'has-it-now');
      const late = await silent.report();
      if (late !== 409) throw new Error(`a success under a lease that had run out was answered ${late}`);
      const counted = await other.report();
      if (counted !== 200) throw new Error(`the success of the current lease was answered ${counted}`);
      await stage.settle();
      return { 'late reports refused': await eventCount(stage, 'lease.stale-report-refused') };
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

/** Only runners without sandboxes offer it. */
const LABEL = 'does-nothing';

/** A runner that takes one job and does it at once. @returns how it reports success, and what that is answered */
async function takeJob({ system }: Stage, name: string): Promise<{ report: () => Promise<number> }> {
  const { gatewayUrl, registrationToken } = system.mesh;
  const runner = await ProtocolRunner.register({ gatewayUrl, registrationToken, name, labels: [LABEL] });
  const lease = await eventually(`${name} gets a job`, async () => runner.lease(1));
  await runner.acknowledge(lease);
  system.effects.note('start', lease);
  system.effects.note('end', lease);
  return { report: async () => runner.complete(lease) };
}

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
