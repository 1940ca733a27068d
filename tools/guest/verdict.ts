import type { GuestOrder } from './arguments.ts';

/** How a guest ended: by the end of what it was to do, by itself before that, by the time limit, or by whoever asked for it. */
export type GuestEnd =
  | { readonly kind: 'done'; readonly exitCode: number; readonly batteries: readonly string[] }
  | { readonly kind: 'gone'; readonly said: string }
  | { readonly kind: 'out-of-time' }
  | { readonly kind: 'stopped' };

export interface Verdict {
  readonly text: string;
  readonly exitCode: number;
}

const EXIT = { failed: 1, noGuest: 3, stopped: 130 } as const;

/** @param kernel what was booted, in words */
export function verdictOf(end: GuestEnd, kernel: string, { cgroups, needsBattery, limitMs }: GuestOrder): Verdict {
  const where = `guest (${kernel}, control groups v${cgroups})`;
  switch (end.kind) {
    case 'stopped':
      return { text: `${where}: stopped`, exitCode: EXIT.stopped };
    case 'out-of-time':
      return { text: `${where}: not done within ${limitMs / 60_000} minutes`, exitCode: EXIT.noGuest };
    case 'gone':
      return { text: `${where}: it ended before its work did\n${end.said}`, exitCode: EXIT.noGuest };
    case 'done': {
      const lacks = needsBattery && end.batteries.length === 0;
      const said = lacks ? ['no hostile job was carried out'] : end.batteries;
      const exitCode = lacks && end.exitCode === 0 ? EXIT.failed : end.exitCode;
      const word = exitCode === 0 ? 'succeeded' : `FAILED, exit code ${end.exitCode}`;
      return { text: [...said, `${where}: ${word}`].join('\n'), exitCode };
    }
  }
}
