import { list, number, oneOf, StatementError, text, zipped, type Statement } from './statement.ts';
import type { Row, StoredEvent, Transaction } from './rows.ts';

/** The writer's statements on the log, the inbox and the plans. */

const lockStreams: Statement = ({ transaction, lock }, [ids]) => {
  const there = [...list(ids)]
    .map(text)
    .sort()
    .filter((id) => transaction.get('stream', id) !== undefined);
  for (const id of there) lock(`stream ${id}`);
  return there.flatMap((id) => oneOf(transaction.get('stream', id)));
};

const clockAndHead: Statement = ({ transaction, nowMs }) => [
  { now_ms: nowMs, head_position: transaction.seenHead.position },
];

const findRemembered: Statement = ({ transaction }, [ids]) =>
  list(ids).flatMap((id) => oneOf(transaction.get('inbox', text(id))));

const eventRow = ({ stream, version, canonical, prev_hash, hash }: StoredEvent): Row => ({
  stream,
  version,
  canonical,
  prev_hash,
  hash,
});

const loadTails: Statement = ({ transaction }, [streams, versions]) => {
  const wanted = new Map(zipped(streams, versions).map(([stream, after]) => [text(stream), number(after)]));
  return transaction.events
    .filter(({ stream, version }) => version > (wanted.get(stream) ?? Number.POSITIVE_INFINITY))
    .toSorted((a, b) => (a.stream === b.stream ? a.version - b.version : a.stream < b.stream ? -1 : 1))
    .map(eventRow);
};

const lockHead: Statement = ({ transaction, lock }) => {
  lock('head');
  const { position, hash } = transaction.seenHead;
  return [{ head_position: position, head_hash: hash }];
};

const streamVersions: Statement = ({ transaction }, [ids]) =>
  list(ids).flatMap((id) => oneOf(transaction.get('stream', text(id))));

const appendEvents: Statement = ({ transaction, lock }, values) => {
  const [expectedPosition, expectedHash, , ids, streams, versions, types, , , texts, hashes] = values;
  lock('head');
  const head = transaction.seenHead;
  if (head.position !== number(expectedPosition) || head.hash !== text(expectedHash)) {
    throw new StatementError('40001', `the log continues after position ${head.position}`);
  }
  let { position, hash } = head;
  for (const [id, stream, version, type, canonical, next] of zipped(
    ids,
    streams,
    versions,
    types,
    text(texts).split('\x1e'),
    hashes,
  )) {
    position += 1;
    const event = { position, id: text(id), stream: text(stream), version: number(version), type: text(type) };
    assertNew(transaction, event);
    transaction.appended.push({ ...event, canonical: text(canonical), prev_hash: hash, hash: text(next) });
    hash = text(next);
  }
  transaction.head = { position, hash };
  return [{ append_events: position }];
};

/** The unique index on stream and version. */
function assertNew(transaction: Transaction, event: Pick<StoredEvent, 'stream' | 'version'>): void {
  if (!transaction.hasVersion(event)) return;
  throw new StatementError('23505', `version ${event.version} of ${event.stream} is there already`);
}

const moveStreams: Statement = ({ transaction, lock }, [ids, versions]) => {
  for (const [id, version] of zipped(ids, versions)) {
    lock(`stream ${text(id)}`);
    transaction.set('stream', text(id), { id, version });
  }
  return [];
};

const remember: Statement = ({ transaction, lock }, [ids, answers, fingerprints, positions, atMs]) => {
  for (const [id, answer, fingerprint, position] of zipped(ids, answers, fingerprints, positions)) {
    lock(`inbox ${text(id)}`);
    if (transaction.get('inbox', text(id)) !== undefined)
      throw new StatementError('23505', `${text(id)} is in the inbox`);
    transaction.set('inbox', text(id), { id, answer, fingerprint, position, recorded_at_ms: atMs });
  }
  return [];
};

const storePlans: Statement = ({ transaction, lock }, [digests, bodies]) => {
  for (const [digest, body] of zipped(digests, bodies)) {
    lock(`plan ${text(digest)}`);
    if (transaction.get('plan', text(digest)) === undefined) transaction.set('plan', text(digest), { digest, body });
  }
  return [];
};

const storePlanJobs: Statement = ({ transaction }, [rows]) => {
  for (const row of JSON.parse(text(rows)) as Row[]) {
    const key = `${String(row['plan_digest'])} ${String(row['skipped'])} ${String(row['ordinal'])}`;
    if (transaction.get('plan_job', key) === undefined) transaction.set('plan_job', key, row);
  }
  return [];
};

const setDeadlines: Statement = ({ transaction, lock }, [runs, dues]) => {
  for (const [run_id, due_at_ms] of zipped(runs, dues)) {
    lock(`run_deadline ${text(run_id)}`);
    transaction.set('run_deadline', text(run_id), { run_id, due_at_ms });
  }
  return [];
};

const dropDeadlines: Statement = ({ transaction, lock }, [runs]) => {
  for (const run of list(runs)) {
    lock(`run_deadline ${text(run)}`);
    transaction.set('run_deadline', text(run), null);
  }
  return [];
};

const readAfter: Statement = ({ transaction }, [after, limit]) =>
  transaction.events.slice(number(after), number(after) + number(limit)).map(eventRow);

const readHead: Statement = ({ transaction }) => [{ ...transaction.seenHead }];

export const LOG_STATEMENTS: Readonly<Record<string, Statement>> = {
  'lock-streams': lockStreams,
  'clock-and-head': clockAndHead,
  'find-remembered': findRemembered,
  'load-tails': loadTails,
  'lock-head': lockHead,
  'stream-versions': streamVersions,
  'append-events': appendEvents,
  'move-streams': moveStreams,
  remember,
  'store-plans': storePlans,
  'store-plan-jobs': storePlanJobs,
  'set-deadlines': setDeadlines,
  'drop-deadlines': dropDeadlines,
  'read-after': readAfter,
  'read-head': readHead,
};
