import type { AuditCheckpoint, Checkpoint, Digest, Plan, RunId } from '@delta-ci/contracts';
import type { AuditSource } from '@delta-ci/event-log';
import { gatewayFor, type Gateway, type GatewayOptions } from '../api/gateway.ts';
import type { Surroundings } from '../surroundings.ts';
import { readKeptCheckpoints } from './kept-checkpoints.ts';
import type { KeyOptions } from './trusted-keys.ts';
import { databaseUrlOf, withLog, type DatabaseOptions, type EventLog } from './with-log.ts';

export interface AuditOptions extends GatewayOptions, DatabaseOptions, KeyOptions {
  /** A file or folder of checkpoints that were kept outside the log. */
  readonly checkpoints?: string;
  readonly json?: boolean;
}

/** Where a log is read from, and what is known of it besides. */
export interface OpenedLog {
  readonly source: AuditSource;
  readonly eventLog: EventLog;
  /** For people: `the database`, `the gateway`. */
  readonly through: string;
  /** Checkpoints that do not come from the log's own tables; without any, a log that lost its end looks whole. */
  readonly outside: 'given' | 'store' | 'none';
  /** The plan of a run, unjudged; null when there is none. */
  readonly planOf: (runId: RunId, digest: Digest) => Promise<Plan | null>;
}

/** Opens the log that the options name: a database when they name one, otherwise a gateway. */
export async function withAuditSource<T>(
  surroundings: Surroundings,
  options: AuditOptions,
  work: (opened: OpenedLog) => Promise<T>,
): Promise<T> {
  const kept =
    options.checkpoints === undefined ? [] : await readKeptCheckpoints(surroundings.directory, options.checkpoints);
  // A gateway that is named wins over a database that only the environment names.
  const asked = options.url === undefined || options.databaseUrl !== undefined;
  const databaseUrl = asked ? databaseUrlOf(surroundings, options) : null;
  const given = options.checkpoints === undefined ? null : ('given' as const);
  if (databaseUrl !== null) {
    return withLog(databaseUrl, async (log, eventLog) => {
      const source = withKept(eventLog.databaseAuditSource(log), kept);
      const planOf: OpenedLog['planOf'] = async (_runId, digest) => eventLog.findPlan(log, digest);
      return work({ source, eventLog, through: 'the database', outside: given ?? 'none', planOf });
    });
  }
  const eventLog = await import('@delta-ci/event-log');
  const gateway = await gatewayFor(surroundings, options);
  const source = withKept(gatewayAuditSource(gateway, eventLog), kept);
  const planOf: OpenedLog['planOf'] = async (runId) => (await gateway.plan(runId)).plan;
  return work({ source, eventLog, through: 'the gateway', outside: given ?? 'store', planOf });
}

/** The gateway's pages. It may lie, but what it hands out is recomputed, and it cannot sign. */
function gatewayAuditSource(gateway: Gateway, { pages }: EventLog): AuditSource {
  const read = (query: object, after: number) =>
    pages(after, async (from) => (await gateway.auditEvents({ ...query, after: from, limit: 1_000 })).records);
  return {
    head: async () => (await gateway.auditEvents({ limit: 1 })).head,
    records: ({ after, to }) => read(to === undefined ? {} : { to }, after),
    recordsOfRun: (run) => read({ run }, 0),
    checkpoints: (after) => checkpointsOf(gateway, after),
  };
}

async function* checkpointsOf(gateway: Gateway, after: number): AsyncGenerator<Checkpoint> {
  for await (const { inLog: _inLog, inStore: _inStore, ...checkpoint } of listCheckpoints(gateway, after))
    yield checkpoint;
}

/** All checkpoints a gateway knows, page by page, with where it found them. */
export async function* listCheckpoints(gateway: Gateway, after: number): AsyncGenerator<AuditCheckpoint> {
  for (let from = after; ;) {
    const { checkpoints } = await gateway.auditCheckpoints({ after: from, limit: 1_000 });
    yield* checkpoints;
    const last = checkpoints.at(-1)?.position ?? from;
    if (last <= from) return;
    from = last;
  }
}

/** A source with checkpoints of elsewhere among its own, in the order of their positions. */
function withKept(source: AuditSource, kept: readonly Checkpoint[]): AuditSource {
  if (kept.length === 0) return source;
  return { ...source, checkpoints: (after) => merged(source.checkpoints(after), kept, after) };
}

async function* merged(
  checkpoints: AsyncIterable<Checkpoint>,
  kept: readonly Checkpoint[],
  after: number,
): AsyncGenerator<Checkpoint> {
  const waiting = kept.filter(({ position }) => position > after).toSorted((a, b) => a.position - b.position);
  for await (const checkpoint of checkpoints) {
    while ((waiting[0]?.position ?? Number.MAX_SAFE_INTEGER) <= checkpoint.position) yield* waiting.splice(0, 1);
    yield checkpoint;
  }
  yield* waiting;
}
