import { judgeEach, type Finding } from './invariants.ts';
import { attemptOf, grouped, type LogIndex } from './log-index.ts';

/** One line of the ledger: what a job itself wrote while it was really executed. */
export interface Effect {
  readonly kind: 'start' | 'end';
  readonly runId: string;
  readonly jobKey: string;
  readonly attempt: number;
}

/** `<start|end> <run> <job> <attempt>`. @throws Error on a line that is none: then the ledger is no evidence */
export function parseEffects(text: string): Effect[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [kind, runId, jobKey, attempt, ...rest] = line.split(' ');
      if ((kind !== 'start' && kind !== 'end') || runId === undefined || jobKey === undefined || rest.length > 0)
        throw new Error(`not a line of the effect ledger: ${line}`);
      return { kind, runId, jobKey, attempt: Number(attempt) };
    });
}

/** What was executed, beside what the log says of it. */
export function judgeEffects(log: LogIndex, effects: readonly Effect[]): Finding[] {
  const starts = effects.filter(({ kind }) => kind === 'start');
  const ended = new Set(effects.filter(({ kind }) => kind === 'end').map(nameOf));
  const keepsLedger = new Set(starts.map(({ runId, jobKey }) => `${runId} ${jobKey}`));
  return [
    judgeLeased(log, starts),
    judgeEach('attempt-executed-once', grouped(starts, nameOf), ([name, times]) =>
      times.length === 1 ? null : `${name} was executed ${times.length} times`,
    ),
    judgeEach('success-was-executed', succeeded(log, keepsLedger), (name) =>
      ended.has(name) ? null : `${name} succeeded and was not executed to its end`,
    ),
    judgeReasons(log, starts),
  ];
}

const nameOf = ({ runId, jobKey, attempt }: Effect): string => `${runId} ${jobKey} ${attempt}`;

function judgeLeased(log: LogIndex, starts: readonly Effect[]): Finding {
  const fences = new Map(log.of('lease.granted').map((event) => [attemptOf(event), event.data.fence]));
  return judgeEach('nothing-runs-unleased', starts, (effect) => {
    const fence = fences.get(nameOf(effect));
    if (fence === undefined) return `${nameOf(effect)} was executed without a lease`;
    return fence === effect.attempt ? null : `${nameOf(effect)} was executed under fence ${fence}`;
  });
}

function succeeded(log: LogIndex, keepsLedger: ReadonlySet<string>): string[] {
  return log
    .of('attempt.finished')
    .filter(({ correlation, data }) => data.outcome === 'succeeded' && keepsLedger.has(`${correlation} ${data.jobKey}`))
    .map(attemptOf);
}

/** Every attempt but the first says why it is there, and the one before it has ended by then. */
function judgeReasons(log: LogIndex, starts: readonly Effect[]): Finding {
  const queued = new Map(log.of('attempt.queued').map((event) => [attemptOf(event), event]));
  const finished = new Map(log.of('attempt.finished').map((event) => [attemptOf(event), event.position]));
  const granted = new Map(log.of('lease.granted').map((event) => [attemptOf(event), event.position]));
  return judgeEach('rerun-has-reason', starts, (effect) => {
    if (effect.attempt === 1) return null;
    const name = nameOf(effect);
    const reason = queued.get(name)?.data.retryOf ?? null;
    if (reason === null) return `${name} was executed again without a reason`;
    const before = finished.get(nameOf({ ...effect, attempt: reason.attempt })) ?? Infinity;
    return before < (granted.get(name) ?? 0) ? null : `${name} was leased before attempt ${reason.attempt} had ended`;
  });
}
