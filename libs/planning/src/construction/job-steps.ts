import type { JobKind, JobStep } from '@delta-ci/contracts';
import type { Unit, UnitCommand } from '../model.ts';
import { quoteForShell } from '../shell-words.ts';
import type { Assignment, Member } from './assignments.ts';

/** Tests, also those of types, may be about what was built. */
const LOOKS_AT_BUILD: ReadonlySet<JobKind> = new Set(['test', 'typecheck']);

/** What comes before a job's own command, from a fresh checkout: bring in packages, build and compile what is needed. */
export function preparationOf(members: readonly Member[], byId: ReadonlyMap<string, Unit>): JobStep[] {
  const builds = members.flatMap((member) => buildsBefore(member, byId)).map(({ command }) => command);
  const installs = members.flatMap(({ unit }) => unit.install);
  const before = members.flatMap(({ command }) => command.before ?? []);
  return [...onceEach(installs), ...gathered(onceEach(buildSteps(builds))), ...onceEach(before)];
}

/** Builds that join are one step, where the first of them would be. */
function buildSteps(builds: readonly UnitCommand[]): JobStep[] {
  const joined = Map.groupBy(builds, ({ joins }) => (joins === null ? null : `${joins.group}\n${joins.prefix}`));
  const told = new Set<string>();
  return builds.flatMap(({ step, joins }) => {
    if (joins === null) return [step];
    const key = `${joins.group}\n${joins.prefix}`;
    if (told.has(key)) return [];
    told.add(key);
    const named = (joined.get(key) ?? []).flatMap((each) => (each.joins === null ? [] : [each.joins.argument]));
    return [{ ...step, run: `${joins.prefix} ${[...new Set(named)].join(' ')}` }];
  });
}

function onceEach(steps: readonly JobStep[]): JobStep[] {
  return [...new Map(steps.map((step) => [`${step.workdir}\n${step.run}`, step])).values()];
}

/** What a job is for: the command itself, or the one that several join into. */
export function stepOf(members: readonly Member[], assignment: Assignment): JobStep {
  const [first] = members;
  if (first === undefined) throw new Error('a job has at least one member');
  const { joins, step, kind } = first.command;
  if (joins === null) return step;
  const all = members.length === assignment.members.length;
  const named = members.flatMap(({ command }) => (command.joins === null ? [] : [command.joins.argument]));
  const rest = all && joins.whole !== null ? joins.whole : [...new Set(named)].join(' ');
  return { ...step, name: `${kind} ${assignment.unit.id}`.slice(0, 200), run: `${joins.prefix} ${rest}` };
}

/** As many builds as are told one by one; a job has room for 200 steps in all. */
const SINGLE_BUILDS_MAX = 50;

/** A step's command line may have 65,536 characters. */
const GATHERED_LENGTH_MAX = 60_000;

/** Very many builds are gathered, in the same order, into steps of many lines. */
function gathered(builds: readonly JobStep[]): readonly JobStep[] {
  if (builds.length <= SINGLE_BUILDS_MAX) return builds;
  const steps: JobStep[] = [];
  let lines: string[] = [];
  let length = 0;
  const close = (): void => {
    if (lines.length > 0)
      steps.push({ name: `build ${lines.length} dependencies`, run: lines.join('\n'), workdir: '.' });
    lines = [];
    length = 0;
  };
  for (const { run, workdir } of builds) {
    const line = workdir === '.' ? run : `(cd ${quoteForShell(workdir)} && ${run})`;
    if (length + line.length > GATHERED_LENGTH_MAX) close();
    lines.push(line);
    length += line.length + 1;
  }
  close();
  return steps;
}

/** What is built before the command of a member runs, in order: it runs as a part of the same job. */
export function buildsBefore({ unit, command }: Member, byId: ReadonlyMap<string, Unit>): Member[] {
  return [
    ...unit.buildsFirst.flatMap((id) => buildsOf(byId.get(id))),
    ...(unit.buildBeforeTest && LOOKS_AT_BUILD.has(command.kind) ? buildsOf(unit) : []),
  ];
}

function buildsOf(unit: Unit | undefined): Member[] {
  if (unit === undefined) return [];
  return unit.commands.filter(({ kind }) => kind === 'build').map((command) => ({ unit, command }));
}
