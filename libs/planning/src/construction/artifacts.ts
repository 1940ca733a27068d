import type { ArtifactRequest } from '@delta-ci/contracts';
import { compileGlobList } from '../glob.ts';
import { byText, fileNameOf } from '../tree-paths.ts';
import type { Member } from './assignments.ts';
import { staysInWorkspace } from './workspace-paths.ts';

/** How long artifacts are kept unless a configuration file says otherwise, in days: two weeks cover a sprint and a holiday. */
export const RETENTION_DAYS_DEFAULT = 14;

/** Requests of one type in a job. A plan may hold a hundred, and who analyses a failure reads twenty reports. */
const REQUESTS_MAX = 50;

/**
 * What is kept of a job: the reports of its tests, and outputs that are files. Outputs that are whole folders are not: no other
 * job is given them (decision 0021), a `dist/**` can be built again, and each build of each package would keep a copy. Whoever
 * wants one says so in a configuration file (`type: folder`).
 */
export function artifactsOf(members: readonly Member[]): ArtifactRequest[] {
  const reports = places(members.flatMap(({ command }) => command.reports));
  const outputs = places(members.flatMap(({ command }) => filesOf(command.outputs)));
  return [
    ...reports.map((path) => requested('junit', path)),
    ...outputs.filter((path) => !reports.includes(path)).map((path) => requested('file', path)),
  ];
}

function requested(type: ArtifactRequest['type'], path: string): ArtifactRequest {
  return { type, path, retentionDays: RETENTION_DAYS_DEFAULT };
}

/** Outputs without folders, and without patterns where something is taken out again: one request cannot say that. */
function filesOf(outputs: readonly string[]): string[] {
  const exceptions = outputs.filter((path) => path.startsWith('!')).map((path) => path.slice(1));
  const wanted = outputs.filter((path) => !path.startsWith('!') && !path.split('/').includes('**'));
  if (exceptions.length === 0) return wanted;
  const isTakenOut = compileGlobList(exceptions, 'matches');
  return wanted.filter((path) => !/[*?[{]/u.test(path) && !isTakenOut(path));
}

/**
 * Each once, in order. Very many become patterns for files of their names anywhere: in a fresh checkout nothing but the job
 * has left any.
 */
function places(paths: readonly string[]): string[] {
  const usable = [...new Set(paths.filter(staysInWorkspace))].sort(byText);
  if (usable.length <= REQUESTS_MAX) return usable;
  return [...new Set(usable.map((path) => `**/${fileNameOf(path)}`))].sort(byText).slice(0, REQUESTS_MAX);
}
