import type { JobView, StepResult } from '@delta-ci/contracts';
import type { Surroundings } from '../surroundings.ts';
import { table } from './table.ts';
import { bytesText, durationText } from './words.ts';

const HEADINGS = ['STEP OF', 'ENDED', 'TIME', 'CPU', 'MEMORY', 'READ', 'WRITTEN', 'NAME'];

/** What is not told shows as a dash: 0 would be a measurement. */
function told(value: number | null | undefined, text: (value: number) => string): string {
  return value === null || value === undefined ? '-' : text(value);
}

const ENDINGS: Readonly<Record<NonNullable<StepResult['endedBy']>, string | null>> = {
  exit: null,
  signal: null,
  timeout: 'timed out',
  idle_timeout: 'silent for too long',
  canceled: 'canceled',
  out_of_memory: 'out of memory',
  disk_full: 'disk full',
};

/** How a step ended, in a few words. */
export function stepEndingText({ endedBy, exitCode, signal, timedOut, oomKilled }: StepResult): string {
  const special = ENDINGS[endedBy ?? (oomKilled ? 'out_of_memory' : timedOut ? 'timeout' : 'exit')];
  return special ?? signal ?? told(exitCode, (code) => `exit ${code}`);
}

/** What each step of the jobs' last attempts used; empty when no job has reported. */
export function stepsText(surroundings: Surroundings, jobs: readonly JobView[]): string {
  const rows = jobs.flatMap(({ key, attempts }) =>
    (attempts.at(-1)?.report?.steps ?? []).map((step) => [
      key,
      stepEndingText(step),
      durationText(step.usage.wallMs),
      told(step.usage.cpuMs, durationText),
      told(step.usage.memoryPeakBytes, bytesText),
      told(step.usage.io?.readBytes, bytesText),
      told(step.usage.io?.writtenBytes, bytesText),
      step.name,
    ]),
  );
  return rows.length === 0 ? '' : table(surroundings, HEADINGS, rows);
}
