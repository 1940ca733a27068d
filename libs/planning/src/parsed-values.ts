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

/** JSON in which members of records stand in order of their names: equal values give equal texts. */
export function sortedText(value: unknown): string {
  return textOf(value, byName, 0);
}

/** JSON in which members of records stand as they were written: for records whose order has a meaning. */
export function orderedText(value: unknown): string {
  return textOf(value, asWritten, 0);
}

type Arrange = (names: string[]) => string[];
const byName: Arrange = (names) => names.sort();
const asWritten: Arrange = (names) => names;

/** Written here, as a record made anew would have members that look like numbers moved to its front. */
function textOf(value: unknown, arrange: Arrange, depth: number): string {
  if (depth > DEPTH_MAX) return '"(nested too deeply)"';
  if (Array.isArray(value)) return `[${value.map((each) => textOf(each, arrange, depth + 1)).join(',')}]`;
  const record = asRecord(value);
  if (record === null) return JSON.stringify(value) ?? 'null';
  const members = arrange(Object.keys(record)).map(
    (name) => `${JSON.stringify(name)}:${textOf(record[name], arrange, depth + 1)}`,
  );
  return `{${members.join(',')}}`;
}

/** Whether two values of JSON are the same, in whatever order members of records stand. */
export function isSameValue(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) || Array.isArray(other)) return isSameList(one, other);
  const [left, right] = [asRecord(one), asRecord(other)];
  if (left === null || right === null) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && isSameValue(left[name], right[name]));
}

function isSameList(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((each, at) => isSameValue(each, other[at]));
}

/**
 * The same value without halves of surrogate pairs, in place of which U+FFFD stands: escapes in JSON and YAML can write
 * them, cutting a text to a length can make them, and canonical JSON has no form for them.
 */
export function withWholeCharacters(value: unknown): unknown {
  return isWhole(value) ? value : mended(value);
}

function isWhole(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (Array.isArray(value)) return value.every(isWhole);
  const record = asRecord(value);
  return record === null || Object.keys(record).every((name) => name.isWellFormed() && isWhole(record[name]));
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(withWholeCharacters);
  const record = asRecord(value);
  if (record === null) return value;
  return Object.fromEntries(
    Object.entries(record).map(([name, each]) => [name.toWellFormed(), withWholeCharacters(each)]),
  );
}
