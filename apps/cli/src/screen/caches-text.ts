import type { CacheResult, CompletionReport } from '@delta-ci/contracts';
import type { Surroundings } from '../surroundings.ts';
import { table } from './table.ts';
import { bytesText, durationText } from './words.ts';

const HEADINGS = ['CACHE OF', 'RESULT', 'TIME', 'STORED', 'UNPACKED', 'DOMAIN', 'KEY'];

/** A job of a run, as far as its caches are told of. */
export interface JobWithCaches {
  readonly key: string;
  readonly attempts: readonly {
    readonly report: (Pick<CompletionReport, 'caches'> & { readonly outcome: string }) | null;
  }[];
}

/** What became of a cache of a job that ended so, in a few words. */
export function cacheResultText({ hit, saved, problems = [] }: CacheResult, outcome: string): string {
  const [problem] = problems;
  const anew = saved === undefined ? '' : ', saved';
  if (problem !== undefined) return `not ${problem.during}d: ${problem.code.replaceAll('_', ' ')}${anew}`;
  if (hit) return 'hit';
  // Whoever wonders why it is downloaded each time has the answer here.
  if (saved === undefined && outcome !== 'succeeded') return 'miss, not saved: the job did not succeed';
  return `miss${anew}`;
}

/** What became of the caches of the jobs' last attempts; empty when no job has reported any. */
export function cachesText(surroundings: Surroundings, jobs: readonly JobWithCaches[]): string {
  const { paint } = surroundings;
  const rows = jobs.flatMap(({ key: job, attempts }) =>
    lastReport(attempts).flatMap(({ caches, outcome }) =>
      caches.map((result) => {
        const way = result.restored ?? result.saved;
        const colour = result.problems !== undefined ? paint.yellow : result.hit ? paint.green : paint.dim;
        return [
          job,
          { text: cacheResultText(result, outcome), paint: colour },
          way === undefined ? '-' : durationText(way.tookMs),
          way === undefined ? '-' : bytesText(way.sizeBytes),
          way === undefined ? '-' : bytesText(way.contentBytes),
          way?.domain ?? '-',
          result.key,
        ];
      }),
    ),
  );
  return rows.length === 0 ? '' : table(surroundings, HEADINGS, rows);
}

const lastReport = (attempts: JobWithCaches['attempts']): NonNullable<JobWithCaches['attempts'][number]['report']>[] =>
  attempts.slice(-1).flatMap(({ report }) => report ?? []);
