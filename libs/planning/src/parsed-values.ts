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

/** JSON in which members of records stand in order of their names: equal values give equal texts. */
export function sortedText(value: unknown): string {
  return textOf(value, byName);
}

/** JSON in which members of records stand as they were written: for records whose order has a meaning. */
export function orderedText(value: unknown): string {
  return textOf(value, asWritten);
}

type Arrange = (names: string[]) => string[];
const byName: Arrange = (names) => names.sort();
const asWritten: Arrange = (names) => names;

/** As much as one text says at most: with aliases, a few lines of YAML can stand for more than any memory holds. */
const TEXT_LENGTH_MAX = 64 * 1_024 ** 2;
const PIECES_MAX = 4_000_000;

/** A piece of a text that is ready, or a value that has yet to be written. */
type Piece = string | { readonly value: unknown };

/**
 * Written here, as a record made anew would have members that look like numbers moved to its front; and piece by piece,
 * because values nest as deeply as their authors like.
 * @throws RangeError when the text is longer than any that can be compared
 */
function textOf(value: unknown, arrange: Arrange): string {
  const pending: Piece[] = [{ value }];
  const written: string[] = [];
  let length = 0;
  for (let piece = pending.pop(); piece !== undefined; piece = pending.pop()) {
    const text = typeof piece === 'string' ? piece : opened(piece.value, arrange, pending);
    written.push(text);
    length += text.length;
    if (length > TEXT_LENGTH_MAX || written.length > PIECES_MAX)
      throw new RangeError('what a manifest says is too long to be compared');
  }
  return written.join('');
}

/** The beginning of a value's text; the rest of it is put in front of what is pending, the last piece first. */
function opened(value: unknown, arrange: Arrange, pending: Piece[]): string {
  const record = asRecord(value);
  if (!Array.isArray(value) && record === null) return JSON.stringify(value) ?? 'null';
  pending.push(record === null ? ']' : '}');
  const members: readonly (readonly [text: string, value: unknown])[] = Array.isArray(value)
    ? value.map((each: unknown) => ['', each] as const)
    : arrange(Object.keys(record ?? {})).map((name) => [`${JSON.stringify(name)}:`, record?.[name]] as const);
  for (let at = members.length - 1; at >= 0; at -= 1) {
    const [name = '', member] = members[at] ?? [];
    pending.push({ value: member }, at === 0 ? name : `,${name}`);
  }
  return record === null ? '[' : '{';
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
