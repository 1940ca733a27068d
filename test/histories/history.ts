import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson, parseRecordedEvent, type Json, type RecordedEvent } from '@delta-ci/contracts';
import { foldWholeLog, type FoldedRow } from '@delta-ci/event-log';
import type { TestMesh } from '../support/mesh/index.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

/** A record as its release wrote it, with its hashes. */
export type RawRecord = Readonly<Record<string, unknown>> & { readonly prevHash: string; readonly hash: string };

/** The log of a release's recorded runs. */
export interface History {
  /** The release, which names the folder. */
  readonly release: string;
  readonly records: readonly RawRecord[];
}

export const RELEASES: readonly string[] = readdirSync(HERE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export function readHistory(release: string): History {
  const lines = readFileSync(join(HERE, release, 'log.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  return { release, records: lines.map((line) => JSON.parse(line) as RawRecord) };
}

/** What the records say today. @throws naming a record that has no meaning any more */
export function eventsOf({ release, records }: Pick<History, 'release' | 'records'>): RecordedEvent[] {
  return records.map((record, at) => {
    const parsed = parseRecordedEvent(record);
    if (!parsed.success) throw new Error(`${release}, record ${at + 1}: ${parsed.error.message}`);
    return parsed.data;
  });
}

/** What a history led to when it was recorded. */
export interface RecordedViews {
  /** The rows of each table: of which columns, how many, and their digest. A column that is added later changes nothing. */
  readonly tables: Readonly<Record<string, TableView>>;
  /** Each run with its jobs, for people who look for what changed. */
  readonly runs: Readonly<Record<string, string>>;
}

export interface TableView {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly digest: string;
}

export const readViews = (release: string): RecordedViews =>
  JSON.parse(readFileSync(join(HERE, release, 'views.json'), 'utf8')) as RecordedViews;

/** What events lead to. @param columnsOf columns of a table to look at; all there are, when it names none */
export function viewsOf(
  events: readonly RecordedEvent[],
  columnsOf: (table: string) => readonly string[] | undefined = () => undefined,
): RecordedViews {
  const rows = foldWholeLog(events);
  const tables = [...new Set(rows.map(({ table }) => table))].sort();
  const viewed = tables.map((name) => {
    const ofTable = rows.filter(({ table }) => table === name);
    const columns = columnsOf(name) ?? [...new Set(ofTable.flatMap(({ row }) => Object.keys(row)))].sort();
    return [name, tableView(ofTable, columns)] as const;
  });
  return { tables: Object.fromEntries(viewed), runs: runsIn(rows) };
}

function tableView(rows: readonly FoldedRow[], columns: readonly string[]): TableView {
  const texts = rows.map(({ row }) =>
    canonicalJson(Object.fromEntries(columns.map((column) => [column, row[column] as Json]))),
  );
  const digest = createHash('sha256').update(texts.sort().join('\n')).digest('hex');
  return { columns, rows: rows.length, digest };
}

function runsIn(rows: readonly FoldedRow[]): Record<string, string> {
  const of = (table: string, runId: unknown) =>
    rows.filter(({ table: name, row }) => name === table && row['run_id'] === runId).map(({ row }) => row);
  const runs = rows.filter(({ table }) => table === 'run').map(({ row }) => row);
  const told = runs.map((run) => {
    const jobs = of('job', run['run_id']).map((job) => {
      const attempts = of('attempt', run['run_id']).filter((attempt) => attempt['job_key'] === job['job_key']);
      const outcomes = attempts.map(({ outcome }) => String(outcome)).join(', ');
      return `${String(job['job_key'])} ${String(job['outcome'])} (${outcomes})`;
    });
    return [String(run['run_id']), [String(run['outcome']), ...jobs].join('; ')] as const;
  });
  return Object.fromEntries(told);
}

/** Writes down the log of a mesh as the history of a release: one record a line. */
export async function recordHistory(release: string, system: TestMesh): Promise<void> {
  const rows = await system.ask<{ canonical: string; prev_hash: string; hash: string }>(
    'SELECT canonical, prev_hash, hash FROM event ORDER BY position',
  );
  mkdirSync(join(HERE, release), { recursive: true });
  const lines = rows.map(({ canonical, prev_hash, hash }) =>
    JSON.stringify({ ...(JSON.parse(canonical) as object), prevHash: prev_hash, hash }),
  );
  writeFileSync(join(HERE, release, 'log.ndjson'), `${lines.join('\n')}\n`);
  writeFileSync(
    join(HERE, release, 'views.json'),
    `${JSON.stringify(viewsOf(eventsOf(readHistory(release))), null, 2)}\n`,
  );
}
