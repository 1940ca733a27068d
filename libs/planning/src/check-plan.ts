import type { IsolationTier, Plan, PlanNote, PlannedJob } from '@delta-ci/contracts';
import { isAtLeast, isolationFor } from './construction/job-terms.ts';
import type { PlanningInputs } from './model.ts';

type CheckedInputs = Pick<PlanningInputs, 'comparison' | 'rules' | 'change'>;

/**
 * Judges a plan against what it was made from, independently of how it was made. Errors mean that the plan must not run:
 * planning has a defect. Warnings are for people.
 */
export function checkPlan(plan: Plan, inputs: CheckedInputs): PlanNote[] {
  return [
    ...repeatedKeys(plan),
    ...brokenNeeds(plan),
    ...circularNeeds(plan),
    ...unaccountedFiles(plan, inputs),
    ...affectedWithoutJobs(plan),
    ...plan.jobs.flatMap((job) => [...wrongDecision(job, 'run'), ...beyondPolicy(job, plan, inputs)]),
    ...plan.skipped.flatMap((job) => wrongDecision(job, 'skip')),
  ];
}

function note(severity: PlanNote['severity'], code: string, message: string, subject: string | null): PlanNote {
  return { severity, code, message, subject };
}

function repeatedKeys(plan: Plan): PlanNote[] {
  const seen = new Set<string>();
  return [...plan.jobs, ...plan.skipped].flatMap(({ key }) => {
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [note('error', 'repeated_key', `two jobs have the key ${key}`, key)];
  });
}

function brokenNeeds(plan: Plan): PlanNote[] {
  const keys = new Set(plan.jobs.map(({ key }) => key));
  return plan.jobs.flatMap(({ key, needs }) =>
    needs
      .filter((need) => !keys.has(need))
      .map((need) => note('error', 'unknown_need', `${key} needs ${need}, which does not run`, key)),
  );
}

/** Jobs that can start are taken away until none is left; what remains waits for itself. */
function circularNeeds(plan: Plan): PlanNote[] {
  const keys = new Set(plan.jobs.map(({ key }) => key));
  const waiting = new Map(plan.jobs.map(({ key, needs }) => [key, new Set(needs.filter((need) => keys.has(need)))]));
  const neededBy = new Map<string, string[]>();
  for (const [key, needs] of waiting) {
    for (const need of needs) neededBy.set(need, [...(neededBy.get(need) ?? []), key]);
  }
  const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([key]) => key);
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    waiting.delete(key);
    for (const dependent of neededBy.get(key) ?? []) {
      const needs = waiting.get(dependent);
      needs?.delete(key);
      if (needs?.size === 0) ready.push(dependent);
    }
  }
  const [first] = waiting.keys();
  if (first === undefined) return [];
  return [note('error', 'circular_needs', `these jobs wait for each other: ${[...waiting.keys()].join(', ')}`, first)];
}

function unaccountedFiles(plan: Plan, { comparison }: CheckedInputs): PlanNote[] {
  if (plan.source.kind === 'rerun' || comparison.kind === 'everything') return [];
  const told = new Set(plan.files.map(({ path }) => path));
  return comparison.changes
    .filter(({ path }) => !told.has(path))
    .map(({ path }) => note('error', 'unaccounted_file', `the plan says nothing about the changed file ${path}`, path));
}

/** Every kind of job a unit has either runs, by itself or with others, or is skipped for a reason; one that has none says so. */
function affectedWithoutJobs(plan: Plan): PlanNote[] {
  if (plan.source.kind !== 'discovery') return [];
  const served = new Set([...plan.jobs, ...plan.skipped].map(({ unit }) => unit));
  for (const { explanation } of plan.jobs) {
    for (const link of explanation.chain) if (link.kind === 'unit') served.add(link.unit);
  }
  return plan.units
    .filter(({ id, affected }) => affected && !served.has(id))
    .map(({ id }) => note('info', 'nothing_to_run_in_unit', `${id} is affected and has nothing to run`, id));
}

function wrongDecision(job: Pick<PlannedJob, 'key' | 'explanation'>, expected: 'run' | 'skip'): PlanNote[] {
  if (job.explanation.decision === expected) return [];
  return [
    note('error', 'wrong_explanation', `the explanation of ${job.key} says the opposite of what happens`, job.key),
  ];
}

function beyondPolicy(job: PlannedJob, plan: Plan, { rules, change }: CheckedInputs): PlanNote[] {
  const minimum: IsolationTier = isolationFor(change.trust, rules);
  const notes: PlanNote[] = [];
  if (!isAtLeast(job.requirements.isolation, minimum)) {
    notes.push(
      note('error', 'weak_isolation', `${job.key} asks for ${job.requirements.isolation}, below ${minimum}`, job.key),
    );
  }
  if (job.policy.timeoutMs > plan.policy.runTimeoutMs) {
    const message = `${job.key} may take longer than its whole run: the run's limit ends it first`;
    notes.push(note('warning', 'timeout_beyond_run', message, job.key));
  }
  if (PUBLISHES.test(job.steps.map(({ run }) => run).join('\n'))) {
    notes.push(note('warning', 'may_publish', `${job.key} looks as if it publishes or deploys something`, job.key));
  }
  return plan.trust === 'untrusted' ? [...notes, ...beyondTrust(job, rules.untrustedEgress)] : notes;
}

const PUBLISHES =
  /\b(?:npm|pnpm|yarn|cargo)\s+publish\b|\btwine\s+upload\b|\bdocker\s+push\b|\bkubectl\s+apply\b|\bterraform\s+apply\b/u;

function beyondTrust(job: PlannedJob, allowed: readonly string[]): PlanNote[] {
  const notes: PlanNote[] = [];
  if (job.secrets.length > 0) {
    notes.push(
      note('error', 'secrets_for_untrusted', `${job.key} asks for secrets and its change is not trusted`, job.key),
    );
  }
  if (job.caches.length > 0) {
    notes.push(
      note('error', 'cache_for_untrusted', `${job.key} would write caches and its change is not trusted`, job.key),
    );
  }
  const host = job.egress.allow.find((each) => !allowed.includes(each));
  if (host !== undefined) {
    notes.push(
      note('error', 'egress_for_untrusted', `${job.key} asks for ${host}, which strangers may not reach`, job.key),
    );
  }
  return notes;
}
