import type { StoredEvent } from '../database/rows.ts';

/** An event as its canonical text says it. */
export interface EventRecord {
  readonly id: string;
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly time: string;
  readonly actor: { readonly kind: string; readonly name: string };
  readonly correlation: string | null;
  readonly causation: string;
  readonly traceparent: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export const recordOf = ({ canonical }: StoredEvent): EventRecord => JSON.parse(canonical) as EventRecord;

export const textIn = (data: EventRecord['data'], name: string): string => String(data[name]);
export const numberIn = (data: EventRecord['data'], name: string): number => Number(data[name]);
