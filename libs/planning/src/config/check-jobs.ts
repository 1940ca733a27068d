import {
  PinnedImage,
  ID_TOKENS_PER_JOB_MAX,
  SERVICES_MAX,
  type ConfigFile,
  type ConfigFileJob,
} from '@delta-ci/contracts';
import { staysInReach, staysInWorkspace } from '../construction/workspace-paths.ts';
import { compileGlob } from '../glob.ts';
import { resolvePath } from '../tree-paths.ts';
import type { PlacedProblem } from './config-problem.ts';
import {
  MATRIX_COMBINATIONS_MAX,
  combinationCount,
  combinationsOf,
  filledJob,
  matrixNamesIn,
  matrixVariable,
  unknownMatrixNames,
} from './matrix.ts';
import { nearestName } from './nearest-name.ts';

/** What a file of the right shape can still say wrong: names that lead nowhere, circles, and what cannot be honoured. */
export function checkJobs(file: ConfigFile): PlacedProblem[] {
  const names = Object.keys(file.jobs);
  const problems = [
    ...Object.entries(file.jobs).flatMap(([name, job]) => checkJob(name, job)),
    ...unknownNeeds(file, names),
    ...tooManyJobs(file),
  ];
  const known = problems.length > 0 ? problems : [...tooManyNeeds(file), ...circles(file)];
  // Combinations are looked at one by one only when their number is known to be bounded.
  return known.length > 0 ? known : Object.entries(file.jobs).flatMap(([name, job]) => checkFilled(name, job));
}

/** What a file that can be followed says, and is hardly meant: nobody offers it, or it comes to nothing. */
export function warnOfJobs({ jobs }: ConfigFile): PlacedProblem[] {
  return Object.entries(jobs).flatMap(([name, job]) => {
    const at = ['jobs', name];
    return [...servicesOfNobody(at, job), ...pathsOfNothing(at, job), ...variablesOfOthers(at, job)];
  });
}

function servicesOfNobody(at: readonly string[], { services = {} }: ConfigFileJob): PlacedProblem[] {
  const named = Object.keys(services);
  if (named.length === 0) return [];
  const message = `no runner offers services (${named.join(', ')}): a mesh refuses the plan, and \`delta run\` this job; its steps can start what they need`;
  return [{ path: [...at, 'services'], of: 'key', message }];
}

function pathsOfNothing(at: readonly string[], { paths = [] }: ConfigFileJob): PlacedProblem[] {
  if (paths.length === 0 || paths.some((pattern) => !pattern.startsWith('!'))) return [];
  const message = 'patterns with ! alone match nothing: name what counts before them, all with "**"';
  return [{ path: [...at, 'paths'], of: 'key', message }];
}

/** Steps find one value under a name. */
function variablesOfOthers(at: readonly string[], job: ConfigFileJob): PlacedProblem[] {
  const { env = {}, secrets = [], id_tokens: tokens = {} } = job;
  return Object.keys(env).flatMap((name): PlacedProblem[] => {
    const path = [...at, 'env', name];
    if (secrets.includes(name) || Object.hasOwn(tokens, name))
      return [{ path, of: 'key', message: `steps find the job's secret under ${name}, and never this value` }];
    return name.startsWith('DELTA_')
      ? [{ path, of: 'key', message: `${name} is for what Delta CI tells its jobs: name it another way` }]
      : [];
  });
}

/** As many as a plan may hold. */
const JOBS_MAX = 10_000;

function tooManyJobs(file: ConfigFile): PlacedProblem[] {
  const count = Object.values(file.jobs).reduce((sum, job) => sum + combinationCount(job), 0);
  if (count <= JOBS_MAX) return [];
  return [problem(['jobs'], `the file makes ${count} jobs with its matrices; at most ${JOBS_MAX} are planned`)];
}

function checkJob(name: string, job: ConfigFileJob): PlacedProblem[] {
  const at = ['jobs', name];
  return [
    ...unreadablePaths(at, job),
    ...unusableMatrix(at, job),
    ...tooManyServices(at, job),
    ...namedTwice(at, job),
    ...requiredAndOptional(at, job),
  ];
}

function problem(path: PlacedProblem['path'], message: string): PlacedProblem {
  return { path, of: 'value', message };
}

function tooManyServices(at: readonly string[], { services }: ConfigFileJob): PlacedProblem[] {
  const count = Object.keys(services ?? {}).length;
  if (count <= SERVICES_MAX) return [];
  return [problem([...at, 'services'], `${count} services are named; at most ${SERVICES_MAX} can run beside a job`)];
}

/** Both would be the same variable of the steps. */
function namedTwice(at: readonly string[], { secrets = [], id_tokens = {} }: ConfigFileJob): PlacedProblem[] {
  const count = Object.keys(id_tokens).length;
  if (count > ID_TOKENS_PER_JOB_MAX)
    return [problem([...at, 'id_tokens'], `${count} tokens are named; a job has at most ${ID_TOKENS_PER_JOB_MAX}`)];
  return Object.keys(id_tokens)
    .filter((name) => secrets.includes(name))
    .map((name) =>
      problem([...at, 'id_tokens', name], `${name} is a secret of this job already; name the token another way`),
    );
}

/** A run does not fail by a job that may fail: whoever says both means one of them. */
function requiredAndOptional(at: readonly string[], { policy }: ConfigFileJob): PlacedProblem[] {
  if (policy?.required !== true || policy.allow_failure !== true) return [];
  const message =
    'a job that may fail (allow_failure) is not required for its run to succeed; leave one of the two out';
  return [problem([...at, 'policy', 'required'], message)];
}

/** As many are shown; looking for names that are close takes its time. */
const UNKNOWN_NEEDS_TOLD_MAX = 100;

function unknownNeeds({ jobs }: ConfigFile, names: readonly string[]): PlacedProblem[] {
  const known = new Set(names);
  const unknown = Object.entries(jobs).flatMap(([name, { needs = [] }]) =>
    needs.flatMap((need, index) => (known.has(need) ? [] : [{ path: ['jobs', name, 'needs', index], need }])),
  );
  return unknown.slice(0, UNKNOWN_NEEDS_TOLD_MAX).map(({ path, need }) => {
    const nearest = nearestName(need, names);
    const hint = nearest === null ? `the jobs are ${names.slice(0, 20).join(', ')}` : `did you mean "${nearest}"?`;
    return problem(path, `there is no job "${need}"; ${hint}`);
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
  return [
    ...repeatedValues(at, job),
    ...unknownMatrixNames(job).map((name) => problem(at, `{matrix:${name}} names nothing of the job's matrix`)),
    ...unreadSteps(at, job),
  ];
}

function repeatedValues(at: readonly string[], { matrix }: ConfigFileJob): PlacedProblem[] {
  return Object.entries(matrix ?? {}).flatMap(([row, values]) => {
    const texts = values.map(String);
    const again = texts.findIndex((text, index) => texts.indexOf(text) < index);
    return again < 0 ? [] : [problem([...at, 'matrix', row, again], `the row ${row} has ${texts[again]} twice`)];
  });
}

/** Text of a matrix in a command line would be text of the shell: steps read it as what it is. */
function unreadSteps(at: readonly string[], { steps, matrix }: ConfigFileJob): PlacedProblem[] {
  return steps.flatMap((step, index) =>
    matrixNamesIn([step])
      .filter((name) => Object.hasOwn(matrix ?? {}, name))
      .map((name) =>
        problem(
          [...at, 'steps', index],
          `{matrix:${name}} is not filled in here; steps have it as $${matrixVariable(name)}`,
        ),
      ),
  );
}

/** As many jobs as one may wait for. */
const NEEDS_MAX = 1_000;

function tooManyNeeds({ jobs }: ConfigFile): PlacedProblem[] {
  return Object.entries(jobs).flatMap(([name, { needs }]) => {
    const needed = [...new Set(needs)].flatMap((need) => jobs[need] ?? []);
    const count = needed.reduce((sum, job) => sum + combinationCount(job), 0);
    if (count <= NEEDS_MAX) return [];
    return [problem(['jobs', name, 'needs'], `it would wait for ${count} jobs; at most ${NEEDS_MAX} can be needed`)];
  });
}

/** What only the values of the matrix show. Of many combinations with one problem the first tells it. */
function checkFilled(name: string, job: ConfigFileJob): PlacedProblem[] {
  const at = ['jobs', name];
  for (const combination of combinationsOf(job)) {
    const filled = filledJob(job, combination);
    const problems = [...unusableToolchain(at, filled), ...unpinnedServices(at, filled), ...leadingOut(at, filled)];
    if (problems.length > 0) return problems;
  }
  return [];
}

function unusableToolchain(at: readonly string[], { toolchain }: ConfigFileJob): PlacedProblem[] {
  if (toolchain === undefined || /^[a-z][a-z0-9+-]{0,49}@[^\s@]+$/u.test(toolchain)) return [];
  return [problem([...at, 'toolchain'], `expected a name and a version such as node@24, not "${toolchain}"`)];
}

/** Without either, the same commit would be tested with whatever is newest. */
function unpinnedServices(at: readonly string[], { services }: ConfigFileJob): PlacedProblem[] {
  return Object.entries(services ?? {}).flatMap(([name, { image }]) => {
    if (PinnedImage.safeParse(image).success) return [];
    const message = `"${image}" is no image with a tag or a digest, such as postgres:17`;
    return [problem([...at, 'services', name, 'image'], message)];
  });
}

function leadingOut(at: readonly string[], { workdir, artifacts, caches }: ConfigFileJob): PlacedProblem[] {
  const out = (path: PlacedProblem['path'], what: string, text: string): PlacedProblem =>
    problem([...at, ...path], `${what} "${text}" leads out of the repository`);
  return [
    ...(workdir !== undefined && resolvePath('.', workdir) === null ? [out(['workdir'], 'workdir', workdir)] : []),
    ...(artifacts ?? []).flatMap(({ type, path }, index) => {
      const place = ['artifacts', index, 'path'];
      if (!staysInWorkspace(path)) return [out(place, 'artifact', path)];
      const isFolder = !/[*?[\]{}!]/u.test(path) && resolvePath('.', path) !== '.';
      return type !== 'folder' || isFolder
        ? []
        : [problem([...at, ...place], `"${path}" is not one folder below the root: it is named without patterns`)];
    }),
    ...(caches ?? []).flatMap(({ paths }, index) =>
      paths.flatMap((path, of) => (staysInReach(path) ? [] : [out(['caches', index, 'paths', of], 'cache', path)])),
    ),
  ];
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
