import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Machine } from '../machine.ts';
import { Figure } from './figure.ts';

/** What one measure found, once. */
export const Measured = z.strictObject({
  measure: z.string(),
  at: z.iso.datetime(),
  /** Load average of the last minute before it: what else the machine was doing. */
  loadBefore: z.number(),
  /** A tenth of the work, for a look: such figures are not recorded. */
  quick: z.boolean(),
  figures: z.array(Figure),
});
export type Measured = z.infer<typeof Measured>;

/** One recorded run: the measures of one commit on one machine, which may have been taken in several goes. */
export const Recorded = z.strictObject({
  version: z.literal(1),
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  /** Whether the work tree differed from the commit. */
  changed: z.boolean(),
  machine: Machine,
  measured: z.array(Measured),
});
export type Recorded = z.infer<typeof Recorded>;

export const HISTORY_FOLDER = 'docs/benchmarks';

/** `2026-11-29-0a1b2c3d4e5f.json`: sorts by day, and one commit has one file a day. */
export const fileNameOf = ({ commit, measured }: Recorded): string =>
  `${(measured[0]?.at ?? '').slice(0, 10)}-${commit.slice(0, 12)}.json`;

/** Two goes of one commit on one machine as one run: what was measured again replaces what was measured before. */
export function merged(before: Recorded | null, now: Recorded): Recorded {
  if (before === null) return now;
  const again = new Set(now.measured.map(({ measure }) => measure));
  const kept = before.measured.filter(({ measure }) => !again.has(measure));
  return { ...now, changed: before.changed || now.changed, measured: [...kept, ...now.measured] };
}

export const figuresOf = ({ measured }: Pick<Recorded, 'measured'>): Figure[] =>
  measured.flatMap(({ figures }) => figures);

/** The recorded runs of a repository, the oldest first. @throws naming the file that is not one */
export async function readHistory(root: string): Promise<Recorded[]> {
  const folder = join(root, HISTORY_FOLDER);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).toSorted();
  const runs = await Promise.all(
    names.map(async (name) => parseRecorded(name, await readFile(join(folder, name), 'utf8'))),
  );
  return runs.toSorted((a, b) => firstMoment(a).localeCompare(firstMoment(b)));
}

export function parseRecorded(name: string, text: string): Recorded {
  const parsed = Recorded.safeParse(parseJson(text));
  if (!parsed.success) throw new Error(`${name} is no recorded run: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

const firstMoment = ({ measured }: Recorded): string => measured.map(({ at }) => at).toSorted()[0] ?? '';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
