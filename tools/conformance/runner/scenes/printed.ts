/** What was printed between the lines `from` and `to`; null when they did not come. A byte is a character. */
export function printedBetween(log: string, from: string, to: string): string | null {
  const start = log.indexOf(`${from}\n`);
  const end = log.indexOf(`${to}\n`, start);
  return start < 0 || end < 0 ? null : log.slice(start + from.length + 1, end);
}
