import type { DebugEnd, DebugHold, PlannedJob } from '@delta-ci/contracts';
import type { ExecutorTier, HeldJob, JobOrder, StepOutcome } from '@delta-ci/sandbox';
import type { GatewayCalls } from './gateway-calls.ts';
import { Refused } from './gateway-client.ts';
import { typedInput } from './debug-input.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { MaskedLog } from './masked-log.ts';

/** What holding the sandbox of a failed step takes. */
export interface HoldTools {
  readonly gateway: Pick<GatewayCalls, 'openDebug' | 'followDebug'>;
  readonly log: Pick<MaskedLog, 'bytes' | 'hurry' | 'write' | 'flush' | 'say'>;
  readonly keeper: Pick<LeaseKeeper, 'signal' | 'report'>;
  /** Of this runner's sandboxes. */
  readonly tier: ExecutorTier;
  /** When the control plane may take the lease for the job's time being up, as `performance.now()`; not before. */
  readonly timeUpAt: number;
}

/** Nobody sees anything in less. */
const SHELL_MS_MIN = 5_000;

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
  onEnd: (end: DebugEnd) => void,
): Pick<JobOrder, 'whenFailed'> {
  if (debug === undefined) return {};
  return { whenFailed: async (held) => onEnd(await holdForDebug(debug, held, tools)) };
}

/**
 * Lets whoever asked for it into the sandbox of the step that failed: from here on the log is what the shell shows. It ends
 * before the job's time does: how it ended is still to be reported.
 */
async function holdForDebug(
  { heldMs, idleMs, withheld }: DebugHold,
  { openShell }: HeldJob,
  { gateway, log, keeper, tier, timeUpAt }: HoldTools,
): Promise<DebugEnd> {
  keeper.report({ step: 'debug' });
  // Step or shell are over by then: what they said last stands above it.
  const say = async (text: string): Promise<void> => {
    await log.flush();
    await log.say(text);
  };
  const startedAt = performance.now();
  const none = async (how: DebugEnd['how'], why: string): Promise<DebugEnd> => {
    await say(`no shell: ${why}`);
    return { how, openMs: 0, typedBytes: 0, shownBytes: 0 };
  };
  // Whoever had it would be this very user, to whom the runner's own secrets are no secret.
  if (tier === 'process') return none('refused', "tier process keeps nobody from what is the runner's own");
  const endsAt = Math.min(startedAt + heldMs, timeUpAt);
  const ms = endsAt - startedAt;
  if (ms < SHELL_MS_MIN) return none('time_over', "of the job's time nothing is left");
  if (withheld.length > 0) await say(`not here: ${withheld.join(', ')}`);
  await say(`a shell is open for ${forSoLong(ms)}, and ends after ${Math.round(idleMs / 1_000)} s of silence`);
  const shownFrom = log.bytes;
  try {
    await gateway.openDebug(shownFrom);
  } catch (error) {
    if (!(error instanceof Refused) || error.stale) throw error;
    return none('refused', error.message);
  }
  log.hurry();
  const leftMs = Math.max(1, Math.round(endsAt - performance.now()));
  const over = new AbortController();
  const typed = typedInput(async () => gateway.followDebug(leftMs, over.signal), over);
  const outcome = await openShell({
    terminal: typed.terminal,
    term: TERM,
    output: async (chunk) => {
      await log.write(chunk);
      // Somebody waits for the next letter.
      log.hurry();
      keeper.report({ logCursor: log.bytes });
    },
    timeoutMs: leftMs,
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
  refused: 'there was none',
};

/** As much may have passed of a time that was whole when it was asked for. */
const PASSED_MS = 5_000;

const forSoLong = (ms: number): string =>
  ms < 90_000 ? `${Math.floor(ms / 1_000)} s` : `${Math.floor((ms + PASSED_MS) / 60_000)} minutes`;
