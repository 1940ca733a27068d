import { digestUnfinished } from './unfinished-work.ts';
import { list, number, text, zipped, type Statement } from './statement.ts';
import type { Row } from './rows.ts';

/** What services look up. */

const ascending = (...values: readonly [unknown, unknown][]): number => {
  for (const [a, b] of values) {
    if (a === b) continue;
    return (a as number | string) < (b as number | string) ? -1 : 1;
  }
  return 0;
};

const findRunner: Statement = ({ transaction }, [id]) => {
  const runner = transaction.get('runner', text(id));
  if (runner === undefined) return [];
  const { runner_id: runnerId, name, pool, capabilities, version, registered_at_ms: registeredAtMs, present } = runner;
  return [{ runnerId, name, pool, capabilities, version, registeredAtMs, present }];
};

const findRepository: Statement = ({ transaction }, [id]) => {
  const known = transaction.get('repository', text(id));
  return known === undefined ? [] : [{ repository: known['repository'], policy: known['policy'] ?? {} }];
};

const findPlan: Statement = ({ transaction }, [digest]) => {
  const plan = transaction.get('plan', text(digest));
  return plan === undefined ? [] : [{ body: plan['body'] }];
};

const whichRunsAreDue: Statement = ({ transaction, nowMs }, [limit]) =>
  transaction
    .rows('run_deadline')
    .filter((row) => number(row['due_at_ms']) <= nowMs)
    .toSorted((a, b) => ascending([a['due_at_ms'], b['due_at_ms']]))
    .slice(0, number(limit));

const inOrderOfDispatch = (a: Row, b: Row): number =>
  ascending(
    [b['priority'], a['priority']],
    [a['queued_at_ms'], b['queued_at_ms']],
    [a['run_id'], b['run_id']],
    [a['job_key'], b['job_key']],
  );

const whichAttemptsWait: Statement = ({ transaction, nowMs }, [pool, waitedMs, upToMs, ...rest]) => {
  const [priority, queued_at_ms, run_id, job_key, limit] = rest;
  const after = priority === null ? null : { priority, queued_at_ms, run_id, job_key };
  const youngestMs = Math.min(nowMs - number(waitedMs), upToMs === null ? Infinity : number(upToMs));
  return transaction
    .rows('attempt')
    .filter((row) => row['waiting'] === true && (pool === null || row['pool'] === pool))
    .filter((row) => number(row['queued_at_ms']) <= youngestMs)
    .filter((row) => after === null || inOrderOfDispatch(row, after) > 0)
    .toSorted(inOrderOfDispatch)
    .slice(0, number(limit))
    .map(
      ({
        run_id: runId,
        job_key: jobKey,
        attempt,
        pool: of,
        priority: urgency,
        requirements,
        queued_at_ms: queuedAtMs,
        traceparent,
      }) => ({
        runId,
        jobKey,
        attempt,
        pool: of,
        priority: urgency,
        requirements,
        queuedAtMs,
        traceparent,
      }),
    );
};

const sameHead = (older: Row, newer: Row): boolean =>
  newer['repository_id'] === older['repository_id'] &&
  (older['pull_request'] === null
    ? newer['ref'] === older['ref'] && newer['pull_request'] === null
    : newer['pull_request'] === older['pull_request']);

const byCreation = (a: Row, b: Row): number =>
  ascending([a['created_at_ms'], b['created_at_ms']], [a['run_id'], b['run_id']]);

const isForDebugging = (run: Row): boolean => (run['rerun'] as { debug?: unknown } | null)?.debug !== undefined;

const whichRunsAreSuperseded: Statement = ({ transaction }, [limit]) => {
  const runs = transaction.rows('run').toSorted(byCreation);
  return runs
    .filter((run) => run['live'] === true && !isForDebugging(run) && run['state'] !== 'canceling')
    .flatMap((older) => {
      const newest = runs.findLast(
        (newer) => !isForDebugging(newer) && sameHead(older, newer) && byCreation(newer, older) > 0,
      );
      if ((newest?.['policy'] as { cancelSuperseded?: boolean } | undefined)?.cancelSuperseded !== true) return [];
      return [{ runId: older['run_id'], by: newest?.['run_id'] }];
    })
    .slice(0, number(limit));
};

const MS_PER_DAY = 86_400_000;

const isKept = (artifact: Row): boolean => artifact['expired_at_ms'] === null;
const keptUntil = (artifact: Row): number =>
  number(artifact['recorded_at_ms']) + number(artifact['retention_days']) * MS_PER_DAY;

const none: Statement = () => [];

const whichArtifactsExpired: Statement = ({ transaction, nowMs }, [limit]) =>
  transaction
    .rows('artifact')
    .filter((row) => isKept(row) && keptUntil(row) <= nowMs)
    .toSorted((a, b) => keptUntil(a) - keptUntil(b))
    .slice(0, number(limit))
    .map(
      ({
        run_id: runId,
        job_key: jobKey,
        attempt,
        name,
        digest,
        size_bytes: sizeBytes,
        retention_days: retentionDays,
        recorded_at_ms: recordedAtMs,
      }) => ({ runId, jobKey, attempt, name, digest, sizeBytes, retentionDays, recordedAtMs }),
    );

const whoKeepsDigests: Statement = ({ transaction }, [digests]) => {
  const kept = transaction.rows('artifact').filter((row) => isKept(row) && list(digests).includes(row['digest']));
  const byDigest = Map.groupBy(kept, ({ digest }) => digest);
  return [...byDigest].map(([digest, rows]) => ({ digest, artifacts: rows.length }));
};

const whatExpiredLast: Statement = ({ transaction }, [limit]) =>
  transaction
    .rows('artifact')
    .filter((row) => !isKept(row))
    .toSorted((a, b) => number(b['expired_at_ms']) - number(a['expired_at_ms']))
    .slice(0, number(limit))
    .map(({ digest }) => ({ digest }));

const whichRunsAreUnreported: Statement = ({ transaction, nowMs }, [withinMs, limit]) =>
  transaction
    .rows('run')
    .filter((run) => run['reported'] === false && !isForDebugging(run))
    .filter((run) => run['finished_at_ms'] === null || number(run['finished_at_ms']) > nowMs - number(withinMs))
    .toSorted((a, b) => byCreation(b, a))
    .slice(0, number(limit))
    .map(({ run_id: runId, traceparent }) => ({ runId, traceparent }));

const poolDemand: Statement = ({ transaction, nowMs }, [pool]) => {
  const attempts = new Map(
    transaction
      .rows('attempt')
      .map((row) => [`${text(row['run_id'])} ${text(row['job_key'])} ${number(row['attempt'])}`, row]),
  );
  const waiting = [...attempts.values()].filter((row) => row['waiting'] === true && row['pool'] === pool);
  const live = transaction.rows('lease').filter((lease) => lease['live'] === true);
  const busy = new Set(live.map((lease) => lease['runner_id']));
  const oldest = Math.min(...waiting.map((row) => number(row['queued_at_ms'])));
  const leased = live.filter(
    ({ run_id, job_key, fence }) =>
      attempts.get(`${text(run_id)} ${text(job_key)} ${number(fence)}`)?.['pool'] === pool,
  );
  const idleRunners = transaction
    .rows('runner')
    .filter((runner) => runner['present'] === true && runner['pool'] === pool && !busy.has(runner['runner_id']))
    .map((runner) => text(runner['runner_id']))
    .sort();
  const acknowledged = transaction.rows('lease').filter((lease) => lease['activated_at_ms'] !== null);
  const spent = new Set(acknowledged.map((lease) => lease['runner_id']));
  const spentRunners = idleRunners.filter((runnerId) => spent.has(runnerId));
  const oldestQueuedAgeMs = waiting.length === 0 ? 0 : Math.max(0, nowMs - oldest);
  return [{ nowMs, queued: waiting.length, oldestQueuedAgeMs, leased: leased.length, idleRunners, spentRunners }];
};

const howDoRunnersStand: Statement = ({ transaction }, [ids]) => {
  const live = transaction.rows('lease').filter((lease) => lease['live'] === true);
  return list(ids).flatMap((id) => {
    const runner = transaction.get('runner', text(id));
    if (runner === undefined) return [];
    const { runner_id: runnerId, pool, capabilities, present } = runner;
    const held = live.find((lease) => lease['runner_id'] === runnerId);
    const { run_id: runId = null, job_key: jobKey, fence: attempt, lease_hash: leaseHash } = held ?? {};
    return [{ runnerId, pool, capabilities, present, runId, jobKey, attempt, leaseHash }];
  });
};

/** What a checkpoint is made of: the head, the newest one, and the time. */
const headToSign: Statement = ({ transaction, nowMs }) => {
  const { position, hash } = transaction.seenHead;
  const covered = Math.max(0, ...transaction.rows('checkpoint').map((row) => number(row['position'])));
  return [{ position, hash, covered, time: new Date(nowMs).toISOString() }];
};

const readStreamMarks: Statement = ({ transaction }) =>
  transaction.rows('stream_mark').map(({ stream, sequence, stored_at: storedAt }) => ({ stream, sequence, storedAt }));

/** The one that is no look-up: how far streams were seen, kept outside the log. */
const writeStreamMarks: Statement = ({ transaction }, [streams, sequences, times]) => {
  for (const [stream, sequence, stored_at] of zipped(streams, sequences, times)) {
    transaction.set('stream_mark', text(stream), { stream, sequence, stored_at });
  }
  return [];
};

export const READ_STATEMENTS: Readonly<Record<string, Statement>> = {
  'find-runner': findRunner,
  'how-do-runners-stand': howDoRunnersStand,
  'find-repository': findRepository,
  'which-runs-are-due': whichRunsAreDue,
  'which-attempts-wait': whichAttemptsWait,
  'which-runs-are-superseded': whichRunsAreSuperseded,
  'which-runs-are-unreported': whichRunsAreUnreported,
  'which-artifacts-expired': whichArtifactsExpired,
  'who-keeps-digests': whoKeepsDigests,
  'what-expired-last': whatExpiredLast,
  // Jobs of the simulated world have no caches.
  'which-caches-are-old': none,
  'which-caches-have-no-room': none,
  'pool-demand': poolDemand,
  'read-stream-marks': readStreamMarks,
  'write-stream-marks': writeStreamMarks,
};

/** Statements without a name, by the beginning of their text. */
export const UNNAMED_STATEMENTS: readonly (readonly [beginning: string, statement: Statement])[] = [
  ['SELECT body FROM plan WHERE digest', findPlan],
  ['SELECT position, hash, (SELECT coalesce(max(position)', headToSign],
  ['WITH line (text) AS', digestUnfinished],
  ['SELECT position FROM log_head', ({ transaction }) => [{ position: transaction.seenHead.position }]],
  ['SELECT 1', () => [{}]],
  // No artifact of a seed is ever removed: there is nothing to wait for.
  ['SELECT pg_advisory_', () => [{}]],
  ['SET idle_session_timeout', () => []],
  ['LISTEN', () => []],
];
