import type { RecordedEvent, RecordedEventOf, RunPolicy, JobPolicy } from '@delta-ci/contracts';
import { judgeEach, type Finding } from './invariants.ts';
import { attemptOf, grouped, jobOf, timeOf, type LogIndex } from './log-index.ts';

/** How late things may be, in milliseconds, on top of the timings that the policy of each run has. */
export interface Bounds {
  /** Sweep, dispatch, the pauses of a busy machine, and the time for which the scenario takes the control plane away. */
  readonly slackMs: number;
}

/** Leases, fences and what they decide about. */
export function judgeLeases(log: LogIndex, bounds: Bounds): Finding[] {
  return [
    judgeFences(log),
    judgeLiveLeases(log),
    judgeReports(log),
    judgeBudgets(log),
    judgeLosses(log, bounds),
    judgeStaleReports(log),
    ...judgeCancels(log, bounds),
  ];
}

function judgeFences(log: LogIndex): Finding {
  const byJob = grouped(log.of('lease.granted'), jobOf);
  return judgeEach('fences-grow', byJob, ([job, leases]) => {
    const at = leases.findIndex(({ data }, index) => index > 0 && data.fence <= (leases[index - 1]?.data.fence ?? 0));
    return at === -1 ? null : `fence ${leases[at]?.data.fence} of ${job} at ${leases[at]?.position}`;
  });
}

/** A lease lives from its grant to whatever ends it; within one job, and for one runner, no two lives may overlap. */
function judgeLiveLeases(log: LogIndex): Finding {
  const ends = new Map(log.of('attempt.finished').map((event) => [attemptOf(event), event.position]));
  const lives = log.of('lease.granted').map((lease) => ({ lease, end: ends.get(attemptOf(lease)) ?? Infinity }));
  const shared = [
    ...grouped(lives, ({ lease }) => `job ${jobOf(lease)}`),
    ...grouped(lives, ({ lease }) => `runner ${lease.data.runnerId}`),
  ];
  return judgeEach('one-live-lease', shared, ([holder, held]) => {
    const at = held.findIndex(({ lease }, index) => index > 0 && lease.position < (held[index - 1]?.end ?? 0));
    return at === -1 ? null : `${holder} got another lease at ${held[at]?.lease.position}`;
  });
}

function judgeReports(log: LogIndex): Finding {
  const reported = log.of('attempt.finished').filter(({ data }) => data.report !== null);
  const granted = grouped(log.of('lease.granted'), attemptOf);
  const newest = grouped(log.of('lease.granted'), jobOf);
  const over = grouped([...log.of('lease.expired'), ...log.of('lease.revoked')], attemptOf);
  return judgeEach('current-lease-counts', reported, (event) => {
    const name = attemptOf(event);
    const lease = granted.get(name)?.[0];
    if (lease === undefined || lease.position > event.position) return `${name} ended by a report without a lease`;
    const later = newest.get(jobOf(event))?.find(({ position }) => position > lease.position);
    if (later !== undefined && later.position < event.position)
      return `${name} ended although ${later.data.fence} was granted`;
    const ended = over.get(name)?.find(({ position }) => position < event.position);
    return ended === undefined ? null : `${name} ended by a report after ${ended.type} at ${ended.position}`;
  });
}

function judgeBudgets(log: LogIndex): Finding {
  const policies = new Map<string, JobPolicy>(
    log
      .of('run.planned')
      .flatMap(({ correlation, data }) => data.jobs.map((job) => [`${correlation} ${job.key}`, job.policy] as const)),
  );
  return judgeEach('budgets-kept', grouped(log.of('attempt.queued'), jobOf), ([job, attempts]) => {
    const policy = policies.get(job);
    if (policy === undefined) return `${job} is in no plan`;
    const lost = attempts.filter(({ data }) => data.retryOf?.because === 'lost').length;
    const retried = attempts.filter(({ data }) => data.retryOf !== null).length - lost;
    const first = attempts.filter(({ data }) => data.retryOf === null).length;
    if (first !== 1) return `${job} was queued ${first} times without a reason`;
    return lost <= policy.lostRetries && retried <= policy.retries
      ? null
      : `${job}: ${lost} repeats for losses of ${policy.lostRetries}, ${retried} for failures of ${policy.retries}`;
  });
}

function policiesOf(log: LogIndex): Map<string, RunPolicy> {
  const planned = log.of('run.planned').map(({ correlation, data }) => [correlation ?? '', data.policy] as const);
  return new Map([...log.of('run.created').map(({ data }) => [data.runId, data.policy] as const), ...planned]);
}

function policyFor(policies: ReadonlyMap<string, RunPolicy>, event: RecordedEvent): RunPolicy {
  const policy = policies.get(event.correlation ?? '');
  if (policy === undefined) throw new Error(`${event.type} at ${event.position} is of a run that was never created`);
  return policy;
}

/** Nobody is declared silent before the TTL has passed, and nobody stays unnoticed long after it. */
function judgeLosses(log: LogIndex, { slackMs }: Bounds): Finding {
  const policies = policiesOf(log);
  return judgeEach('loss-noticed-in-time', log.of('lease.expired'), (event) => {
    const { leaseTtlMs } = policyFor(policies, event);
    const silentMs = timeOf(event) - event.data.silentSinceMs;
    if (silentMs < leaseTtlMs && !isUnacknowledged(log, event))
      return `${attemptOf(event)} expired after ${silentMs} ms`;
    return silentMs <= leaseTtlMs + slackMs ? null : `${attemptOf(event)} was noticed after ${silentMs} ms`;
  });
}

/** A lease that was never acknowledged has its own, shorter limit. */
function isUnacknowledged(log: LogIndex, event: RecordedEventOf<'lease.expired'>): boolean {
  return !log.of('lease.activated').some((activated) => attemptOf(activated) === attemptOf(event));
}

/** Each refusal names a lease that was over, and left the attempt as it was. */
function judgeStaleReports(log: LogIndex): Finding {
  const granted = grouped(log.of('lease.granted'), attemptOf);
  return judgeEach('stale-report-refused', log.of('lease.stale-report-refused'), (event) =>
    granted.has(attemptOf(event)) ? null : `${attemptOf(event)} was refused and never leased`,
  );
}

function judgeCancels(log: LogIndex, { slackMs }: Bounds): Finding[] {
  const policies = policiesOf(log);
  const asked = log.of('run.cancel-requested');
  const byStream = grouped(log.events, ({ stream }) => stream);
  const after = ({ stream, position }: RecordedEvent): RecordedEvent[] =>
    (byStream.get(stream) ?? []).filter((event) => event.position > position);
  const starts: ReadonlySet<RecordedEvent['type']> = new Set(['attempt.queued', 'lease.granted', 'job.readied']);
  return [
    judgeEach('no-dispatch-after-cancel', asked, (request) => {
      const start = after(request).find(({ type }) => starts.has(type));
      return start === undefined ? null : `${start.type} at ${start.position} of ${request.stream}`;
    }),
    judgeEach('cancel-ends-in-time', asked, (request) => {
      const { leaseTtlMs, cancelDeadlineMs } = policyFor(policies, request);
      const end = after(request).find(({ type }) => type === 'run.finished');
      const tookMs = end === undefined ? Infinity : timeOf(end) - timeOf(request);
      return tookMs <= cancelDeadlineMs + leaseTtlMs + slackMs ? null : `${request.stream} took ${tookMs} ms to end`;
    }),
  ];
}
