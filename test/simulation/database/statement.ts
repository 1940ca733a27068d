import type { Row, Transaction } from './rows.ts';

/** What a statement works on: its transaction, the clock, and the locks it may ask for. */
export interface StatementContext {
  readonly transaction: Transaction;
  /** The database's own clock. */
  readonly nowMs: number;
  /** Takes a row lock for the rest of the transaction. @throws Blocked when somebody else has it */
  readonly lock: (key: string) => void;
}

/** A statement we know, by its name: what it does to rows, written down a second time. */
export type Statement = (context: StatementContext, values: readonly unknown[]) => readonly Row[];

/** The statement has to wait for a lock and is run again, from its beginning, once that is free. */
export class Blocked extends Error {
  override readonly name = 'Blocked';
}

/** The one that is thrown: nobody asks where it comes from, and finding out takes long. */
export const BLOCKED = new Blocked('somebody else has the lock');

/** The server refuses a statement; the code is the SQLSTATE. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly code: string;
  /** The index that has the row already, when that is why. */
  readonly constraint: string | undefined;

  constructor(code: string, message: string, constraint?: string) {
    super(message);
    this.code = code;
    this.constraint = constraint;
  }
}

export const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new TypeError(`expected a text, got ${JSON.stringify(value)}`);
};

export const number = (value: unknown): number => {
  if (typeof value === 'number') return value;
  throw new TypeError(`expected a number, got ${JSON.stringify(value)}`);
};

export const list = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  throw new TypeError(`expected an array, got ${JSON.stringify(value)}`);
};

/** Columns, as arrays of one length, as rows. */
export function zipped(...columns: readonly unknown[]): unknown[][] {
  const [first, ...others] = columns.map(list);
  return (first ?? []).map((value, index) => [value, ...others.map((other) => other[index])]);
}

/** None or one. */
export const oneOf = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);
