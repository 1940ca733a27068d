import type { ConfigFile, ConfigFileJob } from '@delta-ci/contracts';
import { compileGlob } from '../glob.ts';
import { resolvePath } from '../tree-paths.ts';
import type { PlacedProblem } from './config-problem.ts';
import { MATRIX_COMBINATIONS_MAX, combinationCount, unknownMatrixNames } from './matrix.ts';
import { nearestName } from './nearest-name.ts';

/** What a file of the right shape can still say wrong: names that lead nowhere, circles, and what cannot be honoured. */
export function checkJobs(file: ConfigFile): PlacedProblem[] {
  const names = Object.keys(file.jobs);
  const problems = Object.entries(file.jobs).flatMap(([name, job]) => checkJob(name, job, names));
  return problems.length > 0 ? problems : circles(file);
}

function checkJob(name: string, job: ConfigFileJob, names: readonly string[]): PlacedProblem[] {
  const at = ['jobs', name];
  return [
    ...unknownNeeds(at, job, names),
    ...unreadablePaths(at, job),
    ...unusableMatrix(at, job),
    ...unusableToolchain(at, job),
    ...(job.workdir !== undefined && resolvePath('.', job.workdir) === null
      ? [problem([...at, 'workdir'], `workdir "${job.workdir}" leads out of the repository`)]
      : []),
    ...((job.services ?? []).length > 0
      ? [problem([...at, 'services'], 'services are not offered yet; start what the job needs in its steps')]
      : []),
  ];
}

function problem(path: PlacedProblem['path'], message: string): PlacedProblem {
  return { path, of: 'value', message };
}

function unknownNeeds(at: readonly string[], { needs }: ConfigFileJob, names: readonly string[]): PlacedProblem[] {
  return (needs ?? []).flatMap((need, index) => {
    if (names.includes(need)) return [];
    const nearest = nearestName(need, names);
    const hint = nearest === null ? `the jobs are ${names.slice(0, 20).join(', ')}` : `did you mean "${nearest}"?`;
    return [problem([...at, 'needs', index], `there is no job "${need}"; ${hint}`)];
  });
}

function unreadablePaths(at: readonly string[], { paths }: ConfigFileJob): PlacedProblem[] {
  return (paths ?? []).flatMap((pattern, index) =>
    compileGlob(pattern.replace(/^!/u, '')) === null
      ? [problem([...at, 'paths', index], `"${pattern}" uses a syntax that is not read; use *, **, ?, [abc] and {a,b}`)]
      : [],
  );
}

function unusableMatrix(at: readonly string[], job: ConfigFileJob): PlacedProblem[] {
  const count = combinationCount(job);
  if (count > MATRIX_COMBINATIONS_MAX) {
    const message = `the matrix makes ${count} jobs; at most ${MATRIX_COMBINATIONS_MAX} are planned from one`;
    return [problem([...at, 'matrix'], message)];
  }
  return unknownMatrixNames(job).map((name) => problem(at, `{matrix:${name}} names nothing of the job's matrix`));
}

function unusableToolchain(at: readonly string[], { toolchain }: ConfigFileJob): PlacedProblem[] {
  if (toolchain === undefined || /^[a-z][a-z0-9+-]{0,49}@[^\s@]+$/u.test(toolchain)) return [];
  return [problem([...at, 'toolchain'], `expected a name and a version such as node@24, not "${toolchain}"`)];
}

/** Jobs are followed along their needs; coming back to one that is still being followed closes a circle. */
function circles({ jobs }: ConfigFile): PlacedProblem[] {
  const finished = new Set<string>();
  for (const start of Object.keys(jobs)) {
    const trail: string[] = [];
    const pending: { readonly name: string; readonly leave: boolean }[] = [{ name: start, leave: false }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { name, leave } = next;
      if (leave) finished.add(trail.pop() ?? name);
      if (leave || finished.has(name)) continue;
      if (trail.includes(name)) {
        const circle = [...trail.slice(trail.indexOf(name)), name].join(' -> ');
        return [problem(['jobs', name, 'needs'], `these jobs wait for each other: ${circle}`)];
      }
      trail.push(name);
      pending.push({ name, leave: true }, ...(jobs[name]?.needs ?? []).map((need) => ({ name: need, leave: false })));
    }
  }
  return [];
}
