/** What the checker can judge from outside, in the words of the verdict. In the order of the report. */
export const INVARIANTS = {
  'accepted-runs-kept': 'a run answered 202 is in the log',
  'positions-whole': 'positions are 1 to N without a gap, and the head is the last of them',
  'versions-whole': 'versions of each stream are contiguous',
  'chain-verifies': 'the hash chain verifies',
  'fold-equals-tables': 'folding the log from zero gives the live tables',
  'ends-once': 'each run, job and attempt ends once, and each run is created and reported once',
  'nothing-after-end': 'nothing but annotations follows the end of a run',
  'everything-ended': 'nothing is left unfinished',
  'fences-grow': 'fences grow with every lease of a job, and no attempt is leased twice',
  'one-live-lease': 'at most one lease is live per job and per runner',
  'current-lease-counts': 'only a report under the current lease ends an attempt',
  'budgets-kept': 'attempts stay within the budgets of their class',
  'delivery-once': 'a delivery leads to one run at most, and a command creates one run at most',
  'stream-copies-log': 'EVENTS holds the log from 1 to N, in order',
  'nothing-runs-unleased': 'what was executed had a lease, with that attempt and fence',
  'attempt-executed-once': 'no attempt was executed twice',
  'success-was-executed': 'what succeeded was executed to its end',
  'rerun-has-reason': 'a job executed again has the reason in the log first',
  'loss-noticed-in-time': 'a silent runner was given its TTL, and was noticed soon after',
  'no-dispatch-after-cancel': 'no dispatch follows a cancel request',
  'cancel-ends-in-time': 'a canceled run ends within deadline, TTL and sweep',
  'stale-report-refused': 'a report under a lease that is over is refused and recorded',
  'forge-converges': 'the forge shows how the run ended',
  'artifacts-match': 'a recorded artifact is stored under its digest',
  'no-secrets-told': 'no lease, token or secret is in events, effects or service logs',
  'nothing-left-running': 'no sandbox, runner or workspace of a finished job is left',
} as const;

export type InvariantId = keyof typeof INVARIANTS;
export const INVARIANT_IDS = Object.keys(INVARIANTS) as InvariantId[];

/** What came of judging one invariant. */
export interface Finding {
  readonly id: InvariantId;
  /** How many things were looked at. Nothing looked at is nothing shown. */
  readonly checked: number;
  /** What breaks it, each with its place. */
  readonly violations: readonly string[];
}

/** A finding over many subjects: each is looked at, and says what is wrong with it or nothing. */
export function judgeEach<Subject>(
  id: InvariantId,
  subjects: Iterable<Subject>,
  problemOf: (subject: Subject) => string | null,
): Finding {
  let checked = 0;
  const violations: string[] = [];
  for (const subject of subjects) {
    checked += 1;
    const problem = problemOf(subject);
    if (problem !== null) violations.push(problem);
  }
  return { id, checked, violations };
}
