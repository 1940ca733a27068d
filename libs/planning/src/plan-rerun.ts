import {
  DEBUG_IDLE_MS,
  JOB_TIMEOUT_MS_MAX,
  isShadow,
  type DebugTerms,
  type Explanation,
  type Plan,
  type PlannedJob,
  type RerunSource,
  type SkippedJob,
} from '@delta-ci/contracts';
import { planHeader, summaryOf } from './assemble-plan.ts';
import { grantOf, labelsWithin, limitsWithin, policyWithin, type Grant } from './config/granted.ts';
import { isAtLeast, isolationFor } from './construction/job-terms.ts';
import type { PlanningInputs, PlanningResult } from './model.ts';

/**
 * The plan of a rerun: the earlier plan's jobs, or some of them, on the same commit. Nothing is discovered again, but what
 * the change may do is decided anew: a rerun by somebody trusted does not make a stranger's code trusted.
 */
export function planRerun(inputs: PlanningInputs, rerun: NonNullable<PlanningInputs['rerun']>): PlanningResult {
  const { source, plan: earlier } = rerun;
  const problem = mismatch(inputs, rerun);
  if (problem !== null) return { ok: false, code: 'invalid_rerun', message: problem };
  // A shadow was a sample of that run: nobody waits for what it found.
  const selected = earlier.jobs.filter(({ policy }) => !isShadow(policy));
  const asked = new Set(source.jobs ?? selected.map(({ key }) => key));
  const wanted = new Set(selected.flatMap(({ key }) => (asked.has(key) ? [key] : [])));
  const header = planHeader(inputs, inputs.policy);
  const grant = grantOf(inputs);
  const jobs = selected.filter(({ key }) => wanted.has(key)).map((job) => again(job, wanted, inputs, grant));
  const left = selected.filter(({ key }) => !wanted.has(key)).map((job) => notAgain(job, source.of));
  const skipped = [...left, ...earlier.skipped];
  const plan: Plan = {
    ...header,
    comparedWith: earlier.comparedWith,
    source: { kind: 'rerun', evidence: `the plan ${source.planDigest} of ${source.of}` },
    jobs,
    skipped,
    units: earlier.units,
    files: earlier.files,
    notes: [],
    summary: summaryOf(whatRunsAgain(source), jobs, skipped),
  };
  return { ok: true, plan };
}

function mismatch(
  { repository, commit }: PlanningInputs,
  { source, plan }: NonNullable<PlanningInputs['rerun']>,
): string | null {
  if (plan.repository.id !== repository.id)
    return `the earlier plan is of ${plan.repository.id}, not of ${repository.id}`;
  if (plan.commit !== commit) return `the earlier plan tests commit ${plan.commit}, the rerun asks for ${commit}`;
  const known = new Set(plan.jobs.map(({ key }) => key));
  const unknown = source.jobs?.find((key) => !known.has(key));
  return unknown === undefined ? null : `the earlier plan has no job ${unknown} that ran`;
}

function again(
  job: PlannedJob,
  wanted: ReadonlySet<string>,
  { rules, change, rerun }: PlanningInputs,
  grant: Grant | null,
): PlannedJob {
  const minimum = isolationFor(change.trust, rules);
  const { isolation } = job.requirements;
  const untrusted = change.trust === 'untrusted';
  const detail = whyAgain(rerun?.source);
  const { idTokens = [], ...rest } = job;
  const repeated: PlannedJob = {
    ...rest,
    needs: job.needs.filter((need) => wanted.has(need)),
    requirements: {
      ...job.requirements,
      isolation: isAtLeast(isolation, minimum) ? isolation : minimum,
      labels: labelsWithin(job.requirements.labels, grant),
    },
    limits: limitsWithin(job.limits, grant),
    policy: policyWithin(job.policy, grant),
    secrets: untrusted ? [] : job.secrets,
    ...(untrusted || idTokens.length === 0 ? {} : { idTokens }),
    caches: untrusted ? [] : job.caches,
    egress: untrusted ? { allow: job.egress.allow.filter((host) => rules.untrustedEgress.includes(host)) } : job.egress,
    explanation: extended(
      job.explanation,
      'run',
      `${job.title} runs again because ${detail}. Then: ${job.explanation.sentence}`,
      detail,
    ),
  };
  const debug = rerun?.source.debug;
  return debug === undefined ? repeated : lookedInto(repeated, debug);
}

/**
 * It leaves nothing, is tried once, has no secrets, and beside its own time that of whoever looks. A shell is what its user makes
 * of it: it is never beside a runner's own secrets, however weak a tier the job is content with.
 */
function lookedInto({ idTokens = [], ...job }: PlannedJob, { heldMs }: DebugTerms): PlannedJob {
  const { policy, requirements } = job;
  const isolation = isAtLeast(requirements.isolation, 'sandbox') ? requirements.isolation : 'sandbox';
  return {
    ...job,
    requirements: { ...requirements, isolation },
    secrets: [],
    artifacts: [],
    caches: [],
    policy: {
      ...policy,
      retries: 0,
      lostRetries: 0,
      timeoutMs: Math.min(policy.timeoutMs + heldMs, JOB_TIMEOUT_MS_MAX),
    },
    debug: { heldMs, idleMs: DEBUG_IDLE_MS, withheld: [...job.secrets, ...idTokens.map(({ name }) => name)] },
  };
}

function whyAgain(source: RerunSource | undefined): string {
  if (source?.debug !== undefined) return `attempt ${source.debug.attempt} of it in ${source.of} is looked into`;
  const of = source?.of ?? '';
  return source?.only === 'failed' ? `it did not succeed in ${of}` : `all jobs of ${of} run again`;
}

function whatRunsAgain({ of, only, debug, jobs }: RerunSource): string {
  if (debug === undefined) return `${only === 'failed' ? 'The jobs that failed' : 'All jobs'} of ${of} run again.`;
  return `Attempt ${debug.attempt} of ${jobs?.[0] ?? 'a job'} of ${of} is looked into; nothing of it counts.`;
}

function notAgain({ key, title, kind, unit, explanation }: PlannedJob, of: string): SkippedJob {
  const detail = `its result in ${of} stands`;
  return {
    key,
    title,
    kind,
    unit,
    explanation: extended(explanation, 'skip', `${title} is skipped: ${detail}.`, detail),
  };
}

function extended(
  earlier: Explanation,
  decision: Explanation['decision'],
  sentence: string,
  detail: string,
): Explanation {
  const link = { kind: 'rule', rule: 'rerun', detail } as const;
  return { decision, chain: [link, ...earlier.chain].slice(0, 1_000), sentence: sentence.slice(0, 5_000) };
}
