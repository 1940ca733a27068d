/** Reading what parsers return, which can be anything: a value of the wrong kind counts as absent. */

export type ParsedRecord = Readonly<Record<string, unknown>>;

export function asRecord(value: unknown): ParsedRecord | null {
  return isRecord(value) ? value : null;
}

function isRecord(value: unknown): value is ParsedRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function asTexts(value: unknown): string[] | null {
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : null;
}

/** Members of a record that are text, sorted by name; empty for anything that is no record. */
export function textMembers(value: unknown): [name: string, text: string][] {
  return Object.entries(asRecord(value) ?? {})
    .filter((member): member is [string, string] => typeof member[1] === 'string')
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Own members only: `__proto__` and `constructor` are names like any other. */
export function memberOf(value: unknown, name: string): unknown {
  const record = asRecord(value);
  return record !== null && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Manifests nest a handful of levels; what nests deeper is cut off, so that a hostile one cannot exhaust the stack. */
const DEPTH_MAX = 64;

/** Text in which members of records stand in order of their names: equal values give equal texts. */
export function sortedText(value: unknown): string {
  return JSON.stringify(sorted(value, 0)) ?? 'null';
}

function sorted(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) return '(nested too deeply)';
  if (Array.isArray(value)) return value.map((each) => sorted(each, depth + 1));
  const record = asRecord(value);
  if (record === null) return value;
  const members = Object.keys(record).sort();
  return members.map((name) => [name, sorted(record[name], depth + 1)]);
}
