import type { DebugEnd, DebugHold, PlannedJob } from '@delta-ci/contracts';
import type { HeldJob, JobOrder, StepOutcome } from '@delta-ci/sandbox';
import type { GatewayCalls } from './gateway-calls.ts';
import { Refused } from './gateway-client.ts';
import { typedInput } from './debug-input.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { MaskedLog } from './masked-log.ts';

/** What holding the sandbox of a failed step takes. */
export interface HoldTools {
  readonly gateway: Pick<GatewayCalls, 'openDebug' | 'followDebug'>;
  readonly log: MaskedLog;
  readonly keeper: Pick<LeaseKeeper, 'signal' | 'report'>;
}

/** Terminals of today understand it, and hosts describe it. */
const TERM = 'xterm-256color';

const HOW: Readonly<Record<string, DebugEnd['how']>> = {
  exit: 'left',
  signal: 'left',
  timeout: 'time_over',
  idle_timeout: 'idle',
  canceled: 'canceled',
};

/** The job as its steps have it: the time of whoever looks into it is not theirs. */
export function withoutHold(job: PlannedJob): PlannedJob {
  if (job.debug === undefined) return job;
  const { policy, debug } = job;
  return { ...job, policy: { ...policy, timeoutMs: Math.max(1_000, policy.timeoutMs - debug.heldMs) } };
}

/** What the order of a job says that is to be looked into; of any other, nothing. @param onEnd told how the shell ended */
export function whenLookedInto(
  debug: DebugHold | undefined,
  tools: HoldTools,
  onEnd: (end: DebugEnd | null) => void,
): Pick<JobOrder, 'whenFailed'> {
  if (debug === undefined) return {};
  return { whenFailed: async (held) => onEnd(await holdForDebug(debug, held, tools)) };
}

/**
 * Lets whoever asked for it into the sandbox of the step that failed: from here on the log is what the shell shows. Null when the
 * control plane wants no shell.
 */
async function holdForDebug(
  { heldMs, idleMs, withheld }: DebugHold,
  { openShell }: HeldJob,
  { gateway, log, keeper }: HoldTools,
): Promise<DebugEnd | null> {
  keeper.report({ step: 'debug' });
  const say = async (text: string): Promise<void> => log.write(Buffer.from(`[delta] ${text}\n`));
  const startedAt = performance.now();
  if (withheld.length > 0) await say(`not here: ${withheld.join(', ')}`);
  await say(
    `a shell is open for ${Math.round(heldMs / 60_000)} minutes, and ends after ${Math.round(idleMs / 1_000)} s of silence`,
  );
  const shownFrom = log.bytes;
  try {
    await gateway.openDebug(shownFrom);
  } catch (error) {
    if (!(error instanceof Refused) || error.stale) throw error;
    await say(`and is closed again: ${error.message}`);
    return null;
  }
  log.hurry();
  const over = new AbortController();
  const typed = typedInput(async () => gateway.followDebug(heldMs, over.signal), over);
  const outcome = await openShell({
    terminal: typed.terminal,
    term: TERM,
    output: async (chunk) => {
      await log.write(chunk);
      // Somebody waits for the next letter.
      log.hurry();
      keeper.report({ logCursor: log.bytes });
    },
    timeoutMs: heldMs,
    idleTimeoutMs: idleMs,
    signal: keeper.signal,
  }).finally(() => over.abort());
  const end: DebugEnd = {
    how: howOf(outcome),
    openMs: Math.round(performance.now() - startedAt),
    typedBytes: typed.bytes(),
    shownBytes: Math.max(0, log.bytes - shownFrom),
  };
  await say(outcome.kind === 'fault' ? `no shell: ${outcome.refusal.message}` : `the shell is over: ${WORDS[end.how]}`);
  return end;
}

function howOf(outcome: StepOutcome): DebugEnd['how'] {
  return outcome.kind === 'fault' ? 'failed' : (HOW[outcome.result.endedBy] ?? 'failed');
}

const WORDS: Readonly<Record<DebugEnd['how'], string>> = {
  left: 'it was left',
  time_over: 'its time is up',
  idle: 'nothing was typed or shown for too long',
  canceled: 'the run was canceled',
  failed: 'it reached a limit of the job',
};
