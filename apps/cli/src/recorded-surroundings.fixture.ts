import { paintFor } from './screen/paint.ts';
import type { Surroundings } from './surroundings.ts';

export interface Recorded {
  readonly surroundings: Surroundings;
  /** What was said so far. */
  readonly out: () => string;
  readonly err: () => string;
  readonly interrupt: () => void;
}

/** Surroundings that write down what is said, without a terminal, at a time that stands still. */
export function recorded(
  directory: string,
  environment: Readonly<Record<string, string | undefined>> = {},
  columns: number | null = null,
): Recorded {
  const said = { out: '', err: '' };
  const interruption = new AbortController();
  return {
    surroundings: {
      environment,
      directory,
      out: (text) => void (said.out += typeof text === 'string' ? text : Buffer.from(text).toString('utf8')),
      err: (text) => void (said.err += text),
      paint: paintFor(false, {}),
      columns,
      interrupted: interruption.signal,
      nowMs: () => 1_760_000_000_000,
      terminal: null,
    },
    out: () => said.out,
    err: () => said.err,
    interrupt: () => interruption.abort(),
  };
}
