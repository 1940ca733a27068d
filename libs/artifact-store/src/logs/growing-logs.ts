import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { AttemptNumber, JobKey, RunId, type AttemptRef } from '@delta-ci/contracts';
import { nullWhenMissing } from '../null-when-missing.ts';

/** Where growing logs are: a file each, in a folder for their job, in a folder for their run. */
export const growingLogPath = (directory: string, { runId, jobKey, attempt }: AttemptRef): string =>
  join(directory, runId, jobKey, `${attempt}.log`);

/** All growing logs, by run and job. Whatever else lies there is passed over. */
export async function* growingLogs(directory: string): AsyncGenerator<AttemptRef> {
  for await (const run of namesIn(directory)) {
    const runId = RunId.safeParse(run).data;
    if (runId === undefined) continue;
    for await (const job of namesIn(join(directory, runId))) {
      const jobKey = JobKey.safeParse(job).data;
      if (jobKey === undefined) continue;
      for await (const name of namesIn(join(directory, runId, jobKey))) {
        const attempt = AttemptNumber.safeParse(Number(/^([1-9]\d{0,5})\.log$/.exec(name)?.[1])).data;
        if (attempt !== undefined) yield { runId, jobKey, attempt };
      }
    }
  }
}

/** None when the directory is not there, or not any more. */
async function* namesIn(directory: string): AsyncGenerator<string> {
  const entries = await opendir(directory).catch(nullWhenMissing);
  if (entries === null) return;
  for await (const { name } of entries) yield name;
}
