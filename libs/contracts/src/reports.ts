import { z } from 'zod';
import { EVENT_DATA, FailureExplanation, PlanningInputsDigest } from './events.ts';
import { AttemptNumber, Digest, JobKey, MessageId, RunId, RunnerId, Traceparent } from './ids.ts';
import { Plan } from './plan.ts';
import { RecipeId, RecipeVersion, RulesVersion } from './recipe.ts';

/**
 * Reports: what services and runners say happened. They become events only when the orchestrator accepts them.
 * `<service>.<kind>` names the subject `delta.reports.<service>.<kind>.<id>`.
 */
export const REPORT_DATA = {
  /** Plans over the inline limit travel by reference: `plan` is null and the artifact store has it under `digest`. */
  'planner.plan-proposed': z.strictObject({
    runId: RunId,
    digest: Digest,
    plan: Plan.nullable(),
    /** Absent from reports of planners older than the field. */
    inputsDigest: PlanningInputsDigest.default(null),
  }),
  'planner.planning-failed': z.strictObject({
    runId: RunId,
    code: z.string().min(1).max(100),
    message: z.string().min(1).max(10_000),
    inputsDigest: PlanningInputsDigest.default(null),
  }),
  /** A run succeeded whose plan teaches a recipe, which the artifact store has under its digest. */
  'planner.recipe-proved': z.strictObject({
    runId: RunId,
    planDigest: Digest,
    fingerprint: Digest,
    version: RecipeVersion,
    recipeDigest: Digest,
    rules: RulesVersion,
  }),
  /**
   * A run failed whose plan follows a recipe. `jobs`: those that do, of which some failed; `otherwise`: of them those that
   * discovery would not run like that by now.
   */
  'planner.recipe-failed': z.strictObject({
    runId: RunId,
    planDigest: Digest,
    fingerprint: Digest,
    recipeId: RecipeId,
    jobs: z.array(JobKey).max(10_000),
    otherwise: z.array(JobKey).max(10_000).optional(),
  }),
  'failure-analyzer.failure-explained': z.strictObject({
    runId: RunId,
    jobKey: JobKey,
    attempt: AttemptNumber,
    explanation: FailureExplanation,
  }),
  'status-reporter.publication': z.strictObject({ runId: RunId, ...EVENT_DATA['publication.recorded'].shape }),
  'runner-controller.scaling-decision': EVENT_DATA['scaling.decided'].extend({
    /** Absent from reports of controllers older than the field. */
    inputs: EVENT_DATA['scaling.decided'].shape.inputs.default(null),
  }),
  'runner-controller.runner-exit': z.strictObject({
    runnerId: RunnerId,
    exitCode: z.number().int().nullable(),
    signal: z.string().max(20).nullable(),
    reason: z.string().max(500),
  }),
} as const;

export type ReportKind = keyof typeof REPORT_DATA;
export const REPORT_KINDS = Object.keys(REPORT_DATA) as ReportKind[];
export type ReportData<K extends ReportKind> = z.infer<(typeof REPORT_DATA)[K]>;

/** A report with its envelope. The id makes repeats harmless: derive it from what is reported where possible. */
export type Report<K extends ReportKind = ReportKind> = {
  [T in K]: { id: string; kind: T; causation: string; traceparent: string | null; data: ReportData<T> };
}[K];

const envelope = { id: MessageId, causation: MessageId, traceparent: Traceparent.nullable() };

export const ReportSchema: z.ZodType<Report> = z.discriminatedUnion(
  'kind',
  REPORT_KINDS.map((kind) => z.strictObject({ ...envelope, kind: z.literal(kind), data: REPORT_DATA[kind] })) as never,
) as never;

/** Payloads over this travel by reference, so that the bus stays small and quick. */
export const INLINE_PAYLOAD_BYTES_MAX = 512 * 1024;
