import { shortHash } from '@delta-ci/contracts';
import type { Unit } from '../model.ts';
import { byText } from '../tree-paths.ts';
import type { JobOutline, Member } from './assignments.ts';
import { preparationOf } from './job-steps.ts';
import type { StepDurations } from './step-durations.ts';

/** What the commands of one group take together: nobody waits much longer for it than for a single job. */
const GROUP_MS = 60_000;
/** Members of one group: each is a step, and a job has room for 200 of them. */
const GROUP_MEMBERS_MAX = 50;
/** Where starting is quicker than this there is nothing to gain by starting once. */
const OVERHEAD_MS_MIN = 2_000;

/** A job whose command takes no longer than what every job like it needs before and beside that. */
interface SmallJob {
  readonly member: Member;
  /** What its own command takes, in milliseconds. */
  readonly ms: number;
  readonly overhead: NonNullable<ReturnType<StepDurations['overhead']>>;
  /** Small jobs of one likeness may share a sandbox: each finds there what it would find alone, and what others left. */
  readonly likeness: string;
}

/**
 * Jobs that are dwarfed by their start, put together: each member and the group that it runs with. Only what was measured is
 * put together, and only what is prepared alike, so that nothing a member sees was built for another. Which group a member is
 * in follows from its own name and from how often groups had to be halved: a duration that changes a little moves one
 * member, or nobody.
 */
export function smallJobs(
  members: readonly Member[],
  byId: ReadonlyMap<string, Unit>,
  durations: StepDurations,
): Map<Member, JobOutline> {
  const small = members.flatMap((member) => smallJob(member, byId, durations) ?? []);
  const alike = [...Map.groupBy(small, ({ likeness }) => likeness).values()];
  const groups = alike.flatMap((jobs) => halved(jobs, '')).filter(({ jobs }) => jobs.length > 1);
  const places = Map.groupBy(groups, placeOf);
  const outlines = groups.map((group) => {
    const several = new Set((places.get(placeOf(group)) ?? []).map(likenessOf)).size > 1;
    return outlineOf(group, several ? ` ${shortHash(likenessOf(group))}` : '', byId);
  });
  return new Map(outlines.flatMap((outline) => outline.members.map((member) => [member, outline] as const)));
}

function smallJob(member: Member, byId: ReadonlyMap<string, Unit>, durations: StepDurations): SmallJob | null {
  const { unit, command } = member;
  const own = durations.of(command.step);
  if (own === null) return null;
  const preparation = preparationOf([member], byId);
  const overhead = durations.overhead(preparation);
  if (overhead === null || overhead.ms < OVERHEAD_MS_MIN || own.ms > overhead.ms) return null;
  const { ecosystem, workspace, toolchain, env } = unit;
  const settings = Object.entries(env).sort(([one], [other]) => byText(one, other));
  const { name, version } = toolchain ?? { name: '', version: '' };
  const likeness = JSON.stringify([command.kind, ecosystem, workspace, name, version, settings, preparation]);
  return { member, ms: own.ms, overhead, likeness };
}

interface Group {
  readonly jobs: readonly SmallJob[];
  /** A digit for each time it was halved. */
  readonly half: string;
}

/** By one binary digit after the other of a hash of the unit's name, until each part is small enough. */
function halved(jobs: readonly SmallJob[], half: string): Group[] {
  const ms = jobs.reduce((sum, job) => sum + job.ms, 0);
  const enough = ms <= GROUP_MS && jobs.length <= GROUP_MEMBERS_MAX;
  if (jobs.length < 2 || enough) return [{ jobs, half }];
  // Names of one and the same hash, which nobody meets by chance: they stay jobs of their own.
  if (half.length === 32) return jobs.map((job) => ({ jobs: [job], half }));
  return ['0', '1'].flatMap((digit) =>
    halved(
      jobs.filter(({ member }) => digitsOf(member)[half.length] === digit),
      half + digit,
    ),
  );
}

function digitsOf({ unit }: Member): string {
  return Number.parseInt(shortHash(unit.id), 16).toString(2).padStart(32, '0').split('').toReversed().join('');
}

/** Groups of one kind in one workspace have to be told apart. */
function placeOf({ jobs: [first] }: Group): string {
  return `${first?.member.command.kind} ${first?.member.unit.ecosystem} ${first?.member.unit.workspace}`;
}

const likenessOf = ({ jobs: [first] }: Group): string => first?.likeness ?? '';

function outlineOf({ jobs, half }: Group, likeness: string, byId: ReadonlyMap<string, Unit>): JobOutline {
  const [first] = jobs;
  if (first === undefined) throw new Error('a group has members');
  const { unit, command } = first.member;
  const top = byId.get(unit.workspace);
  const members = jobs.map(({ member }) => member);
  return {
    // Told under the workspace, where that is a unit itself.
    assignment: { kind: command.kind, unit: top?.ecosystem === unit.ecosystem ? top : unit, members, way: 1 },
    members,
    cut: { kind: 'together', group: `${half === '' ? '' : ` ${half}`}${likeness}`, overhead: first.overhead },
  };
}
