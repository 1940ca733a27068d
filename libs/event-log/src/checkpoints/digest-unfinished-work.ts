import type { Digest } from '@delta-ci/contracts';
import type { QueryResult, QueryResultRow } from 'pg';
import { UNFINISHED_COLUMNS, type UnfinishedTable } from './unfinished-columns.ts';

/** A pool, or one connection inside a transaction. */
export interface Querier {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>>;
}

export interface UnfinishedWork {
  readonly digest: Digest;
  /** Lines the digest is made of. */
  readonly rows: number;
}

/** Where the tables are: the live ones, or temporary ones of the same shape that were filled by folding the log. */
export type TablesIn = 'public' | 'pg_temp';

/**
 * Digest of the work under way: one line for each live run, for each job and attempt of it, and for each live lease,
 * sorted by their bytes and joined by line feeds. Live work is found by partial indexes, so what finished long ago costs
 * nothing. It belongs to the log's head as the same snapshot shows it; read both in one transaction of isolation
 * `REPEATABLE READ`.
 */
export async function digestUnfinishedWork(querier: Querier, tables: TablesIn = 'public'): Promise<UnfinishedWork> {
  const { rows } = await querier.query<{ digest: string; lines: number }>(TEXTS[tables]);
  return { digest: `sha256:${rows[0]?.digest ?? ''}`, rows: rows[0]?.lines ?? 0 };
}

const TEXTS: Readonly<Record<TablesIn, string>> = { public: textFor('public'), pg_temp: textFor('pg_temp') };

function textFor(tables: TablesIn): string {
  // An array, not a join: whatever the planner thinks of the tables' sizes, rows of live runs are looked up by key.
  const ofLiveRuns = `WHERE t.run_id = ANY (ARRAY(SELECT run_id FROM ${tables}.run WHERE live))`;
  return `
    WITH line (text) AS (
      SELECT ${lineOf('run')} FROM ${tables}.run t WHERE t.live
      UNION ALL
      SELECT ${lineOf('job')} FROM ${tables}.job t ${ofLiveRuns}
      UNION ALL
      SELECT ${lineOf('attempt')} FROM ${tables}.attempt t ${ofLiveRuns}
      UNION ALL
      SELECT ${lineOf('lease')} FROM ${tables}.lease t WHERE t.live
    )
    SELECT encode(sha256(convert_to(coalesce(string_agg(text, E'\\n' ORDER BY text COLLATE "C"), ''), 'UTF8')), 'hex') AS digest,
      count(*)::integer AS lines
    FROM line`;
}

/** The table's name and its columns, separated by spaces; `-` stands for what is not there. None of them can hold either. */
function lineOf(table: UnfinishedTable): string {
  const columns = UNFINISHED_COLUMNS[table].map((column) => `coalesce(t.${column}::text, '-')`);
  return `concat_ws(' ', '${table}', ${columns.join(', ')})`;
}
