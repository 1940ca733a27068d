import type { Digest } from '@delta-ci/contracts';
import pg from 'pg';
import { currentRecordOf } from '../append/draft-event.ts';
import { surviveBrokenConnections } from '../connection.ts';
import type { RowChange } from '../projections/row-change.ts';
import type { ProjectionName } from '../projections/rows.ts';
import { PROJECTION_NAMES } from '../projections/tables.ts';
import {
  foldInto,
  makesChangingRows,
  RowsInUse,
  type FoldableEvent,
  type FoldedRow,
  type StreamRows,
} from './folded-rows.ts';
import { rowsPatchedElsewhere } from './patched-elsewhere.ts';
import { liveDigest, NO_ROWS, RowDigests, sameDigest, type TableDigest } from './row-digests.ts';
import { digestOfUnfinished } from './unfinished-lines.ts';

export interface VerifyReplayOptions {
  /** The URL of a role that may read the log and its tables. */
  readonly databaseUrl: string;
  /** Told how far it has come, after every page and when it begins to compare. */
  readonly onProgress?: (progress: ReplayProgress) => void;
  /** Rows of what is over, kept for what may still be said of it. Default 20,000: the last few thousand runs. */
  readonly idleRowsMax?: number;
  /** Changes of rows by other streams than their own that are in memory at a time. Default 100,000. */
  readonly patchesMax?: number;
  /** Ends it early; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ReplayProgress {
  readonly phase: 'folding' | 'comparing';
  /** Events folded. */
  readonly position: number;
  readonly head: number;
}

export interface VerifiedReplay {
  /** The head both are compared at. */
  readonly position: number;
  readonly equal: boolean;
  readonly tables: readonly ReplayedTable[];
  readonly checkpoints: { readonly checked: number; readonly differing: readonly DifferingCheckpoint[] };
}

export interface ReplayedTable {
  readonly table: ProjectionName;
  readonly rows: { readonly live: number; readonly folded: number };
  readonly equal: boolean;
}

export interface DifferingCheckpoint {
  readonly position: number;
  /** What of the two it names is not so. */
  readonly what: 'hash' | 'unfinished';
  readonly signed: string;
  readonly found: string;
}

/** Events in memory at a time, and as many on their way. */
const PAGE = 2_000;
const IDLE_ROWS_MAX = 20_000;
const PATCHES_MAX = 100_000;
const CHECKPOINTS_SHOWN = 20;

/**
 * Folds the whole log from nothing and compares: at every signed checkpoint the work that was under way, at the end every
 * row of every table. What it folds never becomes a table: rows in use are in memory, and of those that are not only a sum
 * of hashes is left. Reads one snapshot, so the log may go on growing; memory follows the work under way, not the log.
 */
export async function verifyReplay(options: VerifyReplayOptions): Promise<VerifiedReplay> {
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    application_name: 'delta-replay',
    max: 3,
    pipeline: true,
    types: numbersForBigints(),
  });
  surviveBrokenConnections(pool);
  const clients: pg.PoolClient[] = [];
  const connect = async (): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    clients.push(client);
    return client;
  };
  try {
    const [reading, hashing, comparing] = [await connect(), await connect(), await connect()];
    await openSnapshot(reading, comparing);
    return await new Replay({ reading, hashing, comparing }, options).verify();
  } finally {
    for (const client of clients) client.release(true);
    await pool.end();
  }
}

/** Both see the log and its tables as they are at this moment, whatever is appended meanwhile. */
async function openSnapshot(reading: pg.PoolClient, comparing: pg.PoolClient): Promise<void> {
  await reading.query(BEGIN);
  const { rows } = await reading.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
  await comparing.query(BEGIN);
  // A statement that takes no parameters; the name comes from the server itself.
  await comparing.query(`SET TRANSACTION SNAPSHOT ${comparing.escapeLiteral(rows[0]?.id ?? '')}`);
}

const BEGIN = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0';

/** Connections: one reads the log, one hashes what was folded, one hashes the live tables meanwhile. */
interface Clients {
  readonly reading: pg.PoolClient;
  readonly hashing: pg.PoolClient;
  readonly comparing: pg.PoolClient;
}

function numbersForBigints(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, Number);
  return types;
}

class Replay {
  readonly #reading: pg.PoolClient;
  readonly #comparing: pg.PoolClient;
  readonly #digests: RowDigests;
  readonly #rows = new RowsInUse();
  readonly #options: VerifyReplayOptions;
  readonly #differing: DifferingCheckpoint[] = [];
  #checked = 0;
  /** Changes of rows of other streams, so far. */
  #elsewhere = 0;

  constructor({ reading, hashing, comparing }: Clients, options: VerifyReplayOptions) {
    this.#reading = reading;
    this.#comparing = comparing;
    this.#digests = new RowDigests(hashing);
    this.#options = options;
  }

  async verify(): Promise<VerifiedReplay> {
    const { rows } = await this.#reading.query<{ position: number }>('SELECT position FROM log_head');
    const head = rows[0]?.position ?? 0;
    const comparing = this.#liveDigests();
    await this.#foldUpTo(head);
    this.#options.onProgress?.({ phase: 'comparing', position: head, head });
    for (const row of this.#rows.remaining()) this.#digests.add(row);
    await this.#patch();
    await this.#reading.query('COMMIT');
    const folded = await this.#digests.finish();
    const live = await comparing;
    const tables = PROJECTION_NAMES.map((table): ReplayedTable => {
      const [theirs, ours] = [live.get(table) ?? NO_ROWS, folded.get(table) ?? NO_ROWS];
      return { table, rows: { live: theirs.rows, folded: ours.rows }, equal: sameDigest(theirs, ours) };
    });
    const checkpoints = { checked: this.#checked, differing: this.#differing };
    const equal = this.#differing.length === 0 && tables.every((table) => table.equal);
    return { position: head, equal, tables, checkpoints };
  }

  /** Of all tables, beside the folding. */
  #liveDigests(): Promise<ReadonlyMap<ProjectionName, TableDigest>> {
    const digesting = (async () => {
      const digests = new Map<ProjectionName, TableDigest>();
      for (const table of PROJECTION_NAMES) digests.set(table, await liveDigest(this.#comparing, table));
      await this.#comparing.query('COMMIT');
      return digests;
    })();
    return heardLater(digesting);
  }

  /** The next page is read while this one is folded. */
  async #foldUpTo(head: number): Promise<void> {
    const checkpoints = new SignedCheckpoints(this.#reading);
    let checkpoint = await checkpoints.next();
    let page = heardLater(this.#read(0, head));
    for (let after = 0; after < head; after += PAGE) {
      this.#options.signal?.throwIfAborted();
      const texts = await page;
      const last = Math.min(head, after + PAGE);
      if (texts.length !== last - after) throw new Error(`the log has a gap between ${after} and ${last}`);
      page = heardLater(this.#read(last, head));
      for (const [at, text] of texts.entries()) {
        const event = currentRecordOf(text);
        this.#fold(event, this.#rows.get(event.stream) ?? (await this.#rowsOf(event, after + at + 1)));
        while (checkpoint !== null && checkpoint.position <= after + at + 1) {
          await this.#compare(checkpoint);
          checkpoint = await checkpoints.next();
        }
      }
      for (const row of this.#rows.leaving(this.#options.idleRowsMax ?? IDLE_ROWS_MAX)) this.#digests.add(row);
      await this.#digests.send();
      this.#options.onProgress?.({ phase: 'folding', position: last, head });
    }
  }

  /** Takes rows that another stream's events changed out of what was counted, and counts them as they became. */
  async #patch(): Promise<void> {
    const patchesMax = this.#options.patchesMax ?? PATCHES_MAX;
    for await (const patched of rowsPatchedElsewhere(this.#reading, this.#elsewhere, patchesMax)) {
      this.#options.signal?.throwIfAborted();
      for (const { before, after } of patched) {
        this.#digests.add(before, -1);
        this.#digests.add(after);
      }
      await this.#digests.send();
    }
  }

  async #read(after: number, head: number): Promise<string[]> {
    if (after >= head) return [];
    const { rows } = await this.#reading.query<[string]>({
      name: 'replay-page',
      rowMode: 'array',
      text: 'SELECT canonical FROM event WHERE position > $1 AND position <= $2 ORDER BY position',
      values: [after, Math.min(head, after + PAGE)],
    });
    return rows.map(([canonical]) => canonical);
  }

  #fold(event: FoldableEvent, rows: StreamRows): void {
    const before = rows.size;
    const settled: FoldedRow[] = [];
    const elsewhere: RowChange[] = [];
    foldInto({ rows, shared: this.#rows.shared, settled, elsewhere }, event);
    this.#elsewhere += elsewhere.length;
    for (const row of settled) this.#digests.add(row);
    this.#rows.set(event.stream, rows, before);
  }

  /** The rows of a stream that is not here: none, or those of one that has left, which are taken out of what was counted. */
  async #rowsOf({ stream, version }: FoldableEvent, position: number): Promise<StreamRows> {
    if (version === 1 || !makesChangingRows(stream)) return new Map();
    const { rows: texts } = await this.#reading.query<{ canonical: string }>(
      'SELECT canonical FROM event WHERE stream = $1 AND position < $2 ORDER BY version',
      [stream, position],
    );
    const rows: StreamRows = new Map();
    const already = { shared: new Map<string, FoldedRow>(), settled: [], elsewhere: [] };
    for (const { canonical } of texts) foldInto({ rows, ...already }, currentRecordOf(canonical));
    for (const row of rows.values()) this.#digests.add(row, -1);
    return rows;
  }

  async #compare({ position, hash, unfinished }: SignedCheckpoint): Promise<void> {
    this.#checked += 1;
    const { rows } = await this.#reading.query<{ hash: string }>('SELECT hash FROM event WHERE position = $1', [
      position,
    ]);
    const found = { hash: rows[0]?.hash ?? '', unfinished: digestOfUnfinished(this.#rows.live()) };
    const signed = { hash, unfinished };
    for (const what of ['hash', 'unfinished'] as const) {
      if (signed[what] === found[what] || this.#differing.length >= CHECKPOINTS_SHOWN) continue;
      this.#differing.push({ position, what, signed: signed[what], found: found[what] });
    }
  }
}

/** A failure that is heard when the promise is awaited, and that ends no process when nothing awaits it any more. */
function heardLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

interface SignedCheckpoint {
  readonly position: number;
  readonly hash: string;
  readonly unfinished: Digest;
}

/**
 * Checkpoints by the position they speak of, some hundred at a time. Not in the order in which they were recorded: one
 * whose signer stood still comes after a later one of its successor. Their table is compared with the log as all others.
 */
class SignedCheckpoints {
  readonly #reading: pg.PoolClient;
  #read: SignedCheckpoint[] = [];
  #after = 0;

  constructor(reading: pg.PoolClient) {
    this.#reading = reading;
  }

  async next(): Promise<SignedCheckpoint | null> {
    if (this.#read.length === 0) await this.#readMore();
    return this.#read.shift() ?? null;
  }

  async #readMore(): Promise<void> {
    const { rows } = await this.#reading.query<SignedCheckpoint>(
      'SELECT position, hash, unfinished FROM checkpoint WHERE position > $1 ORDER BY position LIMIT 500',
      [this.#after],
    );
    this.#after = rows.at(-1)?.position ?? this.#after;
    this.#read = rows;
  }
}
