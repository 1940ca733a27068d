import { hash } from 'node:crypto';
import {
  canonicalJson,
  stepKey,
  type Json,
  type JobStep,
  type PlannedJob,
  type ProposedPlan,
  type SkippedJob,
  type StepKey,
  type StepShare,
} from '@delta-ci/contracts';

/** A plan as it is stored: once, as canonical text under that text's digest, with what people read of its jobs. */
export interface DraftPlan {
  readonly digest: string;
  readonly body: string;
  readonly jobs: readonly PlanJobRow[];
}

interface PlanJobRow {
  readonly plan_digest: string;
  readonly job_key: string;
  readonly ordinal: number;
  readonly skipped: boolean;
  readonly title: string;
  readonly kind: string;
  readonly unit: string | null;
  readonly sentence: string;
  /** What is measured of it: its steps in order. */
  readonly steps: readonly KeptStep[];
}

interface KeptStep {
  readonly key: StepKey;
  readonly share?: StepShare;
}

/** @throws when the digest is not the plan's: a body must never stand under another's name. */
export function draftPlan({ digest, plan }: ProposedPlan): DraftPlan {
  const body = canonicalJson(plan as Json);
  const actual = `sha256:${hash('sha256', body)}`;
  if (actual !== digest) throw new Error(`a plan was proposed as ${digest} and is ${actual}`);
  const jobs = plan.jobs.map((job, ordinal) => rowOf(digest, job, ordinal, false));
  const skipped = plan.skipped.map((job, ordinal) => rowOf(digest, job, ordinal, true));
  return { digest, body, jobs: [...jobs, ...skipped] };
}

function rowOf(digest: string, job: PlannedJob | SkippedJob, ordinal: number, skipped: boolean): PlanJobRow {
  const { key, title, kind, unit, explanation } = job;
  const steps = 'steps' in job ? job.steps.map(keptStep) : [];
  const { sentence } = explanation;
  return { plan_digest: digest, job_key: key, ordinal, skipped, title, kind, unit, sentence, steps };
}

function keptStep(step: JobStep): KeptStep {
  const key = stepKey(step);
  return step.share === undefined ? { key } : { key, share: step.share };
}
