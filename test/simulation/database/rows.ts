/** Tables in memory: what is committed, and what one transaction sees and would change. */

export type Row = Readonly<Record<string, unknown>>;
export type Table = Map<string, Row>;

/** How the database finds rows of each table: the columns of its primary key. */
export const keyOf = (row: Row, columns: readonly string[]): string =>
  columns.map((column) => String(row[column])).join(' ');

/** A record of the log as it is stored. */
export interface StoredEvent {
  readonly position: number;
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly canonical: string;
  readonly prev_hash: string;
  readonly hash: string;
}

const versionOf = ({ stream, version }: Pick<StoredEvent, 'stream' | 'version'>): string => `${stream} ${version}`;

export interface Head {
  readonly position: number;
  readonly hash: string;
}

/** Everything that is committed. */
export class Committed {
  readonly tables = new Map<string, Table>();
  readonly events: StoredEvent[] = [];
  /** The unique index on stream and version. */
  readonly versions = new Set<string>();
  head: Head = { position: 0, hash: '0'.repeat(64) };

  table(name: string): Table {
    const known = this.tables.get(name);
    if (known !== undefined) return known;
    const made: Table = new Map();
    this.tables.set(name, made);
    return made;
  }
}

/** One transaction: reads what is committed and its own changes, as READ COMMITTED does. */
export class Transaction {
  readonly changes = new Map<string, Map<string, Row | null>>();
  readonly appended: StoredEvent[] = [];
  head: Head | null = null;
  /** A statement failed: every further one is refused, and COMMIT rolls back. */
  failed = false;
  readonly #committed: Committed;

  constructor(committed: Committed) {
    this.#committed = committed;
  }

  get(table: string, key: string): Row | undefined {
    const changed = this.changes.get(table)?.get(key);
    if (changed !== undefined) return changed ?? undefined;
    return this.#committed.table(table).get(key);
  }

  rows(table: string): Row[] {
    const changed = this.changes.get(table);
    const committed = this.#committed.table(table);
    if (changed === undefined) return [...committed.values()];
    const kept = [...committed].filter(([key]) => !changed.has(key)).map(([, row]) => row);
    return [...kept, ...[...changed.values()].filter((row) => row !== null)];
  }

  set(table: string, key: string, row: Row | null): void {
    const changed = this.changes.get(table) ?? new Map<string, Row | null>();
    changed.set(key, row);
    this.changes.set(table, changed);
  }

  /** The log as this transaction sees it. */
  get events(): readonly StoredEvent[] {
    return this.appended.length === 0 ? this.#committed.events : [...this.#committed.events, ...this.appended];
  }

  /** Whether the log as this transaction sees it has a version of a stream. */
  hasVersion(event: Pick<StoredEvent, 'stream' | 'version'>): boolean {
    const version = versionOf(event);
    return this.#committed.versions.has(version) || this.appended.some((other) => versionOf(other) === version);
  }

  get seenHead(): Head {
    return this.head ?? this.#committed.head;
  }

  /** Makes the changes everybody's. */
  apply(): void {
    for (const [name, changed] of this.changes) {
      const table = this.#committed.table(name);
      for (const [key, row] of changed) {
        if (row === null) table.delete(key);
        else table.set(key, row);
      }
    }
    for (const event of this.appended) {
      this.#committed.events.push(event);
      this.#committed.versions.add(versionOf(event));
    }
    if (this.head !== null) this.#committed.head = this.head;
  }
}
