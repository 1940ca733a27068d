import { LogReader, openLog, rebuildProjections, verifyChain, type LogConnection } from '@delta-ci/event-log';
import type { DomainEventOf, RecordedEvent } from '@delta-ci/contracts';
import { judgeEach, type Finding } from './invariants.ts';
import { judgeLeases, type Bounds } from './judge-leases.ts';
import { judgeOrder } from './judge-order.ts';
import { LogIndex } from './log-index.ts';

/** The log as it stands, and what was found in it. */
export interface JudgedLog {
  readonly log: LogIndex;
  readonly findings: readonly Finding[];
}

export interface LogQuestions {
  readonly bounds: Bounds;
  /** Whether every run has to be reported; false where nobody reports. */
  readonly reported: boolean;
}

const PAGE = 5_000;

/** Judges the quiet log alone: by its events, by the hash chain, and by folding it into empty tables. */
export async function judgeLog(databaseUrl: string, questions: LogQuestions): Promise<JudgedLog> {
  const connection = await openLog({
    databaseUrl,
    applicationName: 'checker',
    hotConnectionsMax: 1,
    readConnectionsMax: 1,
  });
  try {
    const reader = new LogReader(connection);
    // The head first: a mesh that has nothing to do still writes down what it decided about runners.
    const { position } = await reader.head();
    const log = new LogIndex(await everything(reader));
    const findings = [
      ...judgeOrder(log, position),
      ...judgeLeases(log, questions.bounds),
      judgeEnded(log, questions.reported),
      await judgeChain(connection, log),
      await judgeFold(databaseUrl),
    ];
    return { log, findings };
  } finally {
    await connection.close();
  }
}

async function everything(reader: LogReader): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const page = await reader.read({ afterPosition: events.at(-1)?.position ?? 0, limit: PAGE });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** What is for debugging is shown nowhere. */
const isShown = ({ data }: { readonly data: DomainEventOf<'run.created'>['data'] }): boolean =>
  data.rerun?.debug === undefined;

/** What began has ended: every run, every job of its plan, every attempt and its lease. */
function judgeEnded(log: LogIndex, reported: boolean): Finding {
  const ended = new Set([
    ...log.of('run.finished').map(({ correlation }) => `${correlation}`),
    ...log.of('job.finished').map(({ correlation, data }) => `${correlation} ${data.jobKey}`),
    ...log.of('attempt.finished').map(({ correlation, data }) => `${correlation} ${data.jobKey} ${data.attempt}`),
    ...log.of('run.reported').map(({ correlation }) => `report of ${correlation}`),
  ]);
  const begun = [
    ...log.of('run.created').map(({ data }) => data.runId),
    ...log.of('run.planned').flatMap(({ correlation, data }) => data.jobs.map(({ key }) => `${correlation} ${key}`)),
    ...log.of('attempt.queued').map(({ correlation, data }) => `${correlation} ${data.jobKey} ${data.attempt}`),
    ...(reported
      ? log
          .of('run.created')
          .filter(isShown)
          .map(({ data }) => `report of ${data.runId}`)
      : []),
  ];
  return judgeEach('everything-ended', begun, (name) => (ended.has(name) ? null : `${name} is not over`));
}

async function judgeChain(connection: LogConnection, { events }: LogIndex): Promise<Finding> {
  const verified = await verifyChain(connection);
  const violations = verified.ok ? [] : [`${verified.problem} at ${verified.firstBadPosition}`];
  return { id: 'chain-verifies', checked: events.length, violations };
}

async function judgeFold(databaseUrl: string): Promise<Finding> {
  const { tables } = await rebuildProjections({ databaseUrl });
  const rows = tables.reduce((sum, table) => sum + table.rows.live, 0);
  const unequal = tables.filter(({ equal }) => !equal);
  const violations = unequal.map(({ table, differing }) => `${table} differs at ${differing.join(', ')}`);
  return { id: 'fold-equals-tables', checked: rows, violations };
}
