import type { Json } from './canonical-json.ts';

/** Where two values first differ: the way to the field, and what stands there; undefined where there is no such field. */
export interface JsonDifference {
  /** `jobs[2].policy.retries`; empty when the values differ as a whole. */
  readonly field: string;
  readonly recorded: Json | undefined;
  readonly decided: Json | undefined;
}

/** The first field, in canonical order, in which `decided` is not what was `recorded`; null when they are equal. */
export function firstDifference(recorded: Json | undefined, decided: Json | undefined): JsonDifference | null {
  return differenceAt('', recorded, decided);
}

function differenceAt(field: string, recorded: Json | undefined, decided: Json | undefined): JsonDifference | null {
  if (Object.is(recorded, decided)) return null;
  if (isList(recorded) && isList(decided)) return differenceOfLists(field, recorded, decided);
  if (isRecord(recorded) && isRecord(decided)) return differenceOfRecords(field, recorded, decided);
  return { field, recorded, decided };
}

function differenceOfLists(field: string, recorded: readonly Json[], decided: readonly Json[]): JsonDifference | null {
  for (let at = 0; at < Math.max(recorded.length, decided.length); at += 1) {
    const found = differenceAt(`${field}[${at}]`, recorded[at], decided[at]);
    if (found !== null) return found;
  }
  return null;
}

function differenceOfRecords(field: string, recorded: JsonRecord, decided: JsonRecord): JsonDifference | null {
  const keys = [...new Set([...Object.keys(recorded), ...Object.keys(decided)])].sort();
  for (const key of keys) {
    const found = differenceAt(field === '' ? key : `${field}.${key}`, recorded[key], decided[key]);
    if (found !== null) return found;
  }
  return null;
}

type JsonRecord = { readonly [key: string]: Json | undefined };

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const isRecord = (value: Json | undefined): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
