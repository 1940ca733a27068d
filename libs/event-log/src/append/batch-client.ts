import type { Duplex } from 'node:stream';
import type { PoolClient, QueryResultRow } from 'pg';

/** A statement of the hot path. `name` makes the server prepare it once for each connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * One connection while a batch is under way. Statements are sent as they come, without waiting for the answers of
 * those before; the server runs them in order, and after one fails the others of the transaction fail too.
 */
export interface BatchClient {
  run<Row extends QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  begin(): Promise<void>;
  /** @throws when the server rolled back instead. */
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * Every statement of a batch finds its rows by key, whatever the tables' sizes, so its plan is made once for each
 * connection: left to choose, the server plans joins with arrays anew each time, which takes longer than to run them.
 * A plan that was made while a table was small would read the whole table when it no longer is: what makes that look
 * cheap is off. One message: no round trip of its own.
 */
export const BEGIN = [
  'BEGIN',
  'SET LOCAL plan_cache_mode = force_generic_plan',
  ...['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_material'].map(
    (way) => `SET LOCAL ${way} = off`,
  ),
].join('; ');

/** `prepared: false` is for poolers that do not carry prepared statements from one transaction to the next. */
export function batchClient(client: PoolClient, prepared: boolean): BatchClient {
  const gather = gatheringOf(client.connection.stream);
  const command = async (text: string): Promise<string | undefined> => {
    gather();
    return (await client.query(text)).command;
  };
  return {
    run: async <Row extends QueryResultRow>({ name, text }: Statement, values: readonly unknown[]) => {
      gather();
      const query = prepared ? { name, text, values: [...values] } : { text, values: [...values] };
      return (await client.query<Row>(query)).rows;
    },
    begin: async () => void (await command(BEGIN)),
    // A COMMIT after a failed statement answers ROLLBACK without an error.
    commit: async () => {
      if ((await command('COMMIT')) !== 'COMMIT') throw new Error('the transaction was rolled back');
    },
    rollback: async () => void (await command('ROLLBACK')),
  };
}

/**
 * What is sent before the event loop turns goes out in one piece: a batch's fifteen statements would otherwise be as
 * many system calls, each of which wakes the server for one statement.
 */
function gatheringOf(stream: Duplex): () => void {
  let gathering = false;
  return () => {
    if (gathering) return;
    gathering = true;
    stream.cork();
    process.nextTick(() => {
      gathering = false;
      stream.uncork();
    });
  };
}
