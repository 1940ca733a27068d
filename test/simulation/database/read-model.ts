import type { Host } from '../engine/host.ts';
import { engine, world } from '../engine/present.ts';
import type { Committed, Row } from './rows.ts';

/** The read model as services ask for it through TypeORM: one consistent look at everything, in one step. */
export interface ReadModel {
  transaction<T>(isolation: string, look: (manager: Manager) => Promise<T>): Promise<T>;
}

interface Wanted {
  readonly where?: Row;
  readonly order?: Readonly<Record<string, 'ASC' | 'DESC'>>;
}

export interface Manager {
  query(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  findOne(table: string, wanted: Wanted): Promise<Row | null>;
  find(table: string, wanted: Wanted): Promise<Row[]>;
  createQueryBuilder(table: string): RunQuery;
}

export function readModel(host: Host): ReadModel {
  return {
    transaction: async (_isolation, look) => {
      const { database } = world();
      await new Promise<void>((resolve, reject) => {
        const answer = () => {
          if (database.canReach(host)) resolve();
          else reject(new Error('the database cannot be reached'));
        };
        engine().after(2 * database.latencyMs(), host, 'read model', answer);
      });
      return look(managerOf(database.committed));
    },
  };
}

function managerOf(committed: Committed): Manager {
  const find = (table: string, { where = {}, order = {} }: Wanted): Row[] => {
    const [wanted, by] = [Object.entries(where), Object.entries(order)];
    return [...committed.table(table).values()]
      .filter((row) => wanted.every(([column, value]) => row[column] === value))
      .sort((a, b) => compared(a, b, by));
  };
  return {
    query: (sql, values = []) => Promise.resolve(queried(committed, sql.trim(), values)),
    findOne: (table, wanted) => Promise.resolve(find(table, wanted)[0] ?? null),
    find: (table, wanted) => Promise.resolve(find(table, wanted)),
    createQueryBuilder: () => new RunQuery(find('run', {})),
  };
}

function compared(a: Row, b: Row, order: readonly (readonly [string, 'ASC' | 'DESC'])[]): number {
  for (const [column, direction] of order) {
    const [one, other] = [a[column] as number | string, b[column] as number | string];
    if (one !== other) return one < other === (direction === 'ASC') ? -1 : 1;
  }
  return 0;
}

function queried(committed: Committed, sql: string, values: readonly unknown[]): readonly Row[] {
  if (sql.startsWith('SELECT position FROM log_head')) return [{ position: committed.head.position }];
  if (sql.startsWith('SELECT job_key, skipped, title')) {
    const jobs = [...committed.table('plan_job').values()].filter((row) => row['plan_digest'] === values[0]);
    return jobs.toSorted(
      (a, b) => Number(a['skipped']) - Number(b['skipped']) || Number(a['ordinal']) - Number(b['ordinal']),
    );
  }
  if (sql.startsWith('SELECT position, time, key_id')) return checkpointOver(committed, String(values[0]));
  if (sql.startsWith('SELECT run_id, coalesce(outcome, state)')) return jobCounts(committed, values[0] as string[]);
  throw new Error(`the simulated read model does not know ${sql.slice(0, 80)}`);
}

/** The first checkpoint that covers the newest record of a stream. */
function checkpointOver(committed: Committed, stream: string): Row[] {
  const newest = committed.events.findLast((event) => event.stream === stream)?.position ?? Number.POSITIVE_INFINITY;
  return [...committed.table('checkpoint').values()]
    .filter((row) => Number(row['position']) >= newest)
    .toSorted((a, b) => Number(a['position']) - Number(b['position']))
    .slice(0, 1)
    .map(({ position, time, key_id: keyId }) => ({ position, time, keyId }));
}

function jobCounts(committed: Committed, runs: readonly string[]): Row[] {
  const counts = new Map<string, number>();
  for (const job of committed.table('job').values()) {
    if (!runs.includes(String(job['run_id']))) continue;
    const key = `${String(job['outcome'] ?? job['state'])} ${String(job['run_id'])}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, jobs]) => {
      const [standing, run_id] = key.split(' ');
      return { run_id, standing, jobs };
    });
}

/** The one query that is built step by step: the newest runs. */
class RunQuery {
  readonly #runs: Row[];
  #limit = Number.POSITIVE_INFINITY;

  constructor(runs: Row[]) {
    this.#runs = runs.toSorted((a, b) =>
      compared(b, a, [
        ['created_at_ms', 'ASC'],
        ['run_id', 'ASC'],
      ]),
    );
  }

  orderBy(): this {
    return this;
  }

  addOrderBy(): this {
    return this;
  }

  andWhere(): never {
    throw new Error('the simulated read model lists all runs');
  }

  limit(limit: number): this {
    this.#limit = limit;
    return this;
  }

  getMany(): Promise<Row[]> {
    return Promise.resolve(this.#runs.slice(0, this.#limit));
  }
}
