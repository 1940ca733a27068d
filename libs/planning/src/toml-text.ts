import { parse, TomlDate } from 'smol-toml';
import { asRecord, type ParsedRecord } from './parsed-values.ts';

/** What people write nests a handful of levels; what nests deeper is cut off, so that it cannot exhaust the stack. */
const DEPTH_MAX = 64;

/** Null when the text is not TOML. Dates come as text. */
export function parseToml(text: string): ParsedRecord | null {
  try {
    return asRecord(withTextForDates(parse(text.replace(/^\uFEFF/u, ''), { maxDepth: DEPTH_MAX }), 0));
  } catch {
    // The parser throws errors of several kinds: for what is not TOML, and for numbers and dates that do not fit.
    return null;
  }
}

function withTextForDates(value: unknown, depth: number): unknown {
  if (depth > DEPTH_MAX) return '(nested too deeply)';
  if (value instanceof TomlDate) return value.isValid() ? value.toISOString() : '(no date)';
  if (Array.isArray(value)) return value.map((each: unknown) => withTextForDates(each, depth + 1));
  const record = asRecord(value);
  if (record === null) return value;
  return Object.fromEntries(Object.entries(record).map(([name, each]) => [name, withTextForDates(each, depth + 1)]));
}
