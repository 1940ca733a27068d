import { RunId, type ArtifactView, type RunView } from '@delta-ci/contracts';
import { resolve } from 'node:path';
import { gatewayFor, type Gateway } from '../api/gateway.ts';
import { attemptIn } from '../attempt-place.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { refuseUnsafe, saveArtifact } from '../save-artifact.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { bytesText } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface GetOptions extends ApiOptions {
  /** A directory of the attempt's own when not given. */
  readonly output?: string;
  readonly force?: boolean;
}

/** An artifact, and which attempt left it. */
interface Left extends ArtifactView {
  readonly jobKey: string;
  readonly attempt: number;
}

/** `delta artifacts list`: of a run, a job's latest attempt, or one attempt. */
export async function listArtifacts(surroundings: Surroundings, place: string, options: ApiOptions): Promise<ExitCode> {
  const { left } = await artifactsAt(await gatewayFor(surroundings, options), place);
  if (options.json === true) {
    printJson(surroundings, { artifacts: left });
    return EXIT.succeeded;
  }
  const rows = left.map(({ jobKey, attempt, name, type, sizeBytes, expiredAtMs }) => [
    `${jobKey}/${attempt}`,
    name,
    type,
    expiredAtMs === undefined ? bytesText(sizeBytes) : 'not kept any more',
  ]);
  surroundings.out(
    rows.length === 0 ? 'no artifacts\n' : table(surroundings, ['ATTEMPT', 'NAME', 'TYPE', 'SIZE'], rows),
  );
  return EXIT.succeeded;
}

/** `delta artifacts get`: all that an attempt left, or what is named of it. */
export async function getArtifacts(
  surroundings: Surroundings,
  place: string,
  names: readonly string[],
  options: GetOptions,
): Promise<ExitCode> {
  const gateway = await gatewayFor(surroundings, options);
  const { jobKey } = attemptIn(place);
  const { left, runId, attempt } = await artifactsAt(gateway, place);
  const wanted = names.length === 0 ? left.filter(({ expiredAtMs }) => expiredAtMs === undefined) : chosen(left, names);
  if (wanted.length === 0) {
    const what = left.length === 0 ? 'it left no artifacts' : 'none of the artifacts that it left is kept any more';
    throw new Problem('not_found', `nothing to get from attempt ${attempt} of ${jobKey}: ${what}`);
  }
  const directory = resolve(surroundings.directory, options.output ?? `artifacts-${runId}-${jobKey}-${attempt}`);
  await refuseUnsafe(
    wanted.map(({ name }) => name),
    directory,
  );
  const target = { directory, force: options.force === true };
  const saved: { readonly name: string; readonly path: string; readonly digest: string; readonly sizeBytes: number }[] =
    [];
  for (const { name, digest, sizeBytes } of wanted) {
    const bytes = await gateway.artifact(runId, jobKey, digest);
    const path = await saveArtifact({ name, digest, sizeBytes }, bytes, target);
    saved.push({ name, path, digest, sizeBytes });
    if (options.json !== true) surroundings.out(`${safeLine(path)}  ${bytesText(sizeBytes)}\n`);
  }
  if (options.json === true) printJson(surroundings, { saved });
  return EXIT.succeeded;
}

async function artifactsAt(
  gateway: Gateway,
  text: string,
): Promise<{ runId: string; attempt: number | null; left: Left[] }> {
  if (RunId.safeParse(text).success) {
    return { runId: text, attempt: null, left: leftBy(await gateway.run(text), () => true) };
  }
  const { runId, jobKey, attempt } = attemptIn(text);
  const run = await gateway.run(runId);
  const attempts = run.jobs.find(({ key }) => key === jobKey)?.attempts ?? [];
  const number = attempt ?? attempts.at(-1)?.attempt ?? null;
  if (!attempts.some((each) => each.attempt === number)) {
    throw new Problem('not_found', `there is no such attempt of ${jobKey}`, { next: `see delta runs view ${runId}` });
  }
  return { runId, attempt: number, left: leftBy(run, (key, each) => key === jobKey && each === number) };
}

function leftBy({ jobs }: RunView, isMeant: (jobKey: string, attempt: number) => boolean): Left[] {
  return jobs.flatMap(({ key: jobKey, attempts }) =>
    attempts.flatMap(({ attempt, artifacts }) =>
      isMeant(jobKey, attempt) ? artifacts.map((artifact) => ({ jobKey, attempt, ...artifact })) : [],
    ),
  );
}

function chosen(left: readonly Left[], names: readonly string[]): Left[] {
  return names.map((name) => {
    const found = left.find((artifact) => artifact.name === name);
    if (found !== undefined) return found;
    const known = left.map((artifact) => artifact.name).join(', ');
    throw new Problem('not_found', `the attempt left no "${name}"`, {
      next: known === '' ? 'it left nothing' : `it left ${known.slice(0, 500)}`,
    });
  });
}
