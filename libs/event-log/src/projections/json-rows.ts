/**
 * Rows as the JSON text Postgres reads them from. Neither `text` nor `jsonb` can hold a NUL, which a stranger's report
 * may contain: in tables it shows as U+FFFD. The log itself keeps what was said.
 */
export function jsonRows(rows: readonly object[]): string {
  const text = JSON.stringify(rows);
  return text.includes('\\u0000') ? JSON.stringify(rows, withoutNul) : text;
}

function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}
