import {
  DEFAULT_JOB_POLICY,
  type ExplanationLink,
  type JobKind,
  type JobStep,
  type PlannedJob,
  type PlannedUnit,
  type SkippedJob,
} from '@delta-ci/contracts';
import type { Cause, UnitImpact } from '../impact/impact.ts';
import { nameOf } from '../impact/world.ts';
import { quoteForShell } from '../shell-words.ts';
import type { Unit, UnitCommand } from '../model.ts';
import { explainOtherKinds, explainRun, explainSkip, type Story } from './explain.ts';
import { keysFor } from './job-keys.ts';
import type { JobTerms } from './job-terms.ts';

export interface Construction {
  readonly jobs: readonly PlannedJob[];
  readonly skipped: readonly SkippedJob[];
  readonly units: readonly PlannedUnit[];
}

/** One job for each command of each unit: those the change reaches run, the others are skipped, each with its reason. */
export function constructJobs(story: Story, terms: JobTerms): Construction {
  const { units } = story.discovery;
  const keys = keysFor(units.flatMap((unit) => unit.commands.map((command) => keyText(unit, command))));
  const byId = new Map(units.map((unit) => [unit.id, unit]));
  const jobs: PlannedJob[] = [];
  const skipped: SkippedJob[] = [];
  for (const unit of units) {
    for (const command of unit.commands) {
      const head = headOf(unit, command, keys.get(keyText(unit, command)) ?? '');
      const cause = causeFor(command, story.impact.units.get(unit.id));
      if (cause === null) skipped.push({ ...head, explanation: explainSkippedJob(story, unit, command) });
      else jobs.push({ ...head, ...runningJob({ story, terms, unit, command, cause, byId }) });
    }
  }
  return { jobs, skipped, units: units.map((unit) => plannedUnit(story, unit)) };
}

function keyText(unit: Unit, { kind }: UnitCommand): string {
  return unit.id === '.' ? kind : `${kind} ${unit.id}`;
}

function headOf(unit: Unit, { kind }: UnitCommand, key: string): Omit<SkippedJob, 'explanation'> {
  return { key, title: titleOf(unit, kind), kind, unit: unit.id };
}

function titleOf(unit: Unit, kind: string): string {
  return `${kind} ${unit.name === '.' ? 'the root' : unit.name}`.slice(0, 300);
}

function causeFor({ kind }: UnitCommand, impact: UnitImpact | undefined): Cause | null {
  return impact?.whole ?? impact?.kinds.get(kind) ?? null;
}

interface RunningJob {
  readonly story: Story;
  readonly terms: JobTerms;
  readonly unit: Unit;
  readonly command: UnitCommand;
  readonly cause: Cause;
  readonly byId: ReadonlyMap<string, Unit>;
}

function runningJob(running: RunningJob): Omit<PlannedJob, keyof Omit<SkippedJob, 'explanation'>> {
  const { story, terms, unit, command, cause, byId } = running;
  const ends = [jobRule(unit, command), ...story.policies];
  return {
    needs: [],
    steps: stepsOf(unit, command, byId),
    env: { ...unit.env },
    image: null,
    requirements: terms.requirements(terms.rules.requireToolchains ? unit.toolchain : null),
    limits: terms.limits,
    egress: { allow: [...terms.egressFor(unit.hosts)] },
    secrets: [],
    artifacts: [],
    caches: [],
    policy: DEFAULT_JOB_POLICY,
    explanation: explainRun(story, `${command.kind} ${nameOf(unit)} runs`, cause, ends),
  };
}

function jobRule(unit: Unit, { kind, evidence }: UnitCommand): ExplanationLink {
  return { kind: 'job-rule', rule: `one ${kind} job per affected unit`, detail: `${evidence} in ${nameOf(unit)}` };
}

/** Tests, also those of types, may be about what was built. */
const LOOKS_AT_BUILD: ReadonlySet<JobKind> = new Set(['test', 'typecheck']);

/** From a fresh checkout: bring in packages, build what is needed, then do what the job is for. */
function stepsOf(unit: Unit, command: UnitCommand, byId: ReadonlyMap<string, Unit>): JobStep[] {
  const before = gathered(unit.buildsFirst.flatMap((id) => buildSteps(byId.get(id))));
  const own = unit.buildBeforeTest && LOOKS_AT_BUILD.has(command.kind) ? buildSteps(unit) : [];
  return [...unit.install, ...before, ...own, command.step];
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

function buildSteps(unit: Unit | undefined): JobStep[] {
  return (unit?.commands ?? []).filter(({ kind }) => kind === 'build').map(({ step }) => step);
}

function explainSkippedJob(story: Story, unit: Unit, command: UnitCommand): SkippedJob['explanation'] {
  const impact = story.impact.units.get(unit.id);
  const subject = `${command.kind} ${nameOf(unit)} is skipped`;
  const ends = [jobRule(unit, command)];
  const [first] = impact?.kinds.values() ?? [];
  if (first === undefined) return explainSkip(story, subject, unit, ends);
  return explainOtherKinds(
    story,
    subject,
    unit,
    first,
    [...(impact?.kinds.keys() ?? [])].map((kind) => `${kind} jobs`),
    ends,
  );
}

function plannedUnit(story: Story, unit: Unit): PlannedUnit {
  const impact = story.impact.units.get(unit.id);
  const [partial] = impact?.kinds.values() ?? [];
  const cause = impact?.whole ?? partial ?? null;
  const { id, root, ecosystem } = unit;
  const name = nameOf(unit);
  const ends: ExplanationLink[] =
    unit.commands.length > 0
      ? []
      : [
          {
            kind: 'job-rule',
            rule: 'nothing to run',
            detail: `${unit.manifest} names no build, test, lint or typecheck command`,
          },
        ];
  const explanation =
    cause === null
      ? explainSkip(story, `${name} is not affected`, unit, ends)
      : explainRun(story, `${name} is affected`, cause, ends);
  return { id, root, ecosystem, affected: cause !== null, explanation: withNothingToRun(explanation, unit) };
}

function withNothingToRun(explanation: PlannedUnit['explanation'], unit: Unit): PlannedUnit['explanation'] {
  return unit.commands.length > 0
    ? explanation
    : { ...explanation, sentence: `${explanation.sentence} It has nothing to run.` };
}
