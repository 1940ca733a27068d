const COLOURS: Readonly<Record<string, number>> = { fatal: 35, error: 31, warn: 33, info: 32, debug: 36, trace: 90 };

/** Said once by the process or of use to machines only: left out where a person reads along. */
const LEFT_OUT = new Set(['time', 'level', 'msg', 'service', 'instance', 'trace_id', 'span_id', 'err']);

/** One JSON log line as a person at a terminal reads it: `12:00:01.123 info message key=value`. */
export function prettyLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  const level = String(fields['level']);
  const clock = String(fields['time']).slice(11, 23);
  const rest = Object.entries(fields)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const message = typeof fields['msg'] === 'string' ? [fields['msg']] : [];
  const label = `\u001b[${COLOURS[level] ?? 0}m${level.padEnd(5)}\u001b[0m`;
  const head = [clock, label, ...message, ...rest].join(' ');
  return `${head}\n${stackOf(fields['err'])}`;
}

function stackOf(err: unknown): string {
  if (typeof err !== 'object' || err === null || !('stack' in err)) return '';
  return `${String(err.stack)}\n`;
}
