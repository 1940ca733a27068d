import { digestOf, keepRecipe, type ArtifactStore } from '@delta-ci/artifact-store';
import type { ReportClient, ReportOutcome } from '@delta-ci/bus';
import type { Digest, RecordedEventOf, RepositoryId, RunId } from '@delta-ci/contracts';
import { traceparentOf, withIds, type Logger } from '@delta-ci/service';
import { concernOf, type ConcernedRuns } from './concerned-runs.ts';
import type { FinishedPlan } from './finished-plan.ts';
import { readPlanText } from './plan-store.ts';
import type { ThreadFailure } from './planning-threads.ts';
import { VERSIONS_KEPT } from './sweep-recipes.ts';

/** What the handler needs of the process around it. */
export interface RunFinishedTools {
  readonly concerned: ConcernedRuns;
  /** For runs that another planner planned, or this one before it was started again. Null for those of strangers. */
  readonly planOfTrustedRun: (runId: RunId) => Promise<Digest | null>;
  /** Away from where events are handled: a plan is as large as a repository makes it. */
  readonly readPlan: (text: Uint8Array) => Promise<FinishedPlan | ThreadFailure>;
  readonly store: ArtifactStore;
  /** Removes what many newer recipes under a fingerprint have taken the place of. */
  readonly sweep: (repository: RepositoryId, fingerprint: Digest) => Promise<unknown>;
  readonly reports: Pick<ReportClient, 'send'>;
  readonly logger: Logger;
}

type Finished = RecordedEventOf<'run.finished'>;

/**
 * Reports what the end of a run says about recipes: that its plan's one is proven, or that the one it followed is in doubt.
 * Whether that is so is decided where the run is known. Throws to have the event delivered again.
 */
export async function onRunFinished(tools: RunFinishedTools, event: Finished): Promise<void> {
  const runId = event.correlation;
  const { outcome } = event.data;
  if (runId === null || (outcome !== 'succeeded' && outcome !== 'failed')) return;
  const known = tools.concerned.find(runId);
  if (known !== null && !(outcome === 'succeeded' ? known.proves : known.doubts)) return;
  const planDigest = known?.planDigest ?? (await tools.planOfTrustedRun(runId));
  if (planDigest === null) return;
  const text = await readPlanText(tools.store, planDigest);
  const plan = 'kind' in text ? text : await tools.readPlan(text);
  const logger = withIds(tools.logger, { run: runId });
  if ('code' in plan) {
    logger.warn({ event: 'nothing-learned', planDigest, code: plan.code }, plan.message);
    return;
  }
  const concern = concernOf(plan);
  const sent =
    outcome === 'succeeded' && concern.proves
      ? await reportProof(tools, event, { runId, planDigest, plan })
      : outcome === 'failed' && concern.doubts
        ? await reportDoubt(tools, event, { runId, planDigest, plan })
        : null;
  if (sent === null) return;
  if (!sent.sent) throw new Error(`the report was not taken: ${sent.refusal.message}`);
  logger.info({ event: 'recipe-tried', outcome, repeated: sent.repeated });
  if (outcome === 'succeeded' && !sent.repeated) await tidy(tools, plan, logger);
}

/** Only where there are as many versions as are kept. What cannot be removed now is removed after the next version. */
async function tidy(
  { sweep }: RunFinishedTools,
  { repositoryId, recipe }: FinishedPlan,
  logger: Logger,
): Promise<void> {
  if (recipe === undefined || (recipe.teaches?.version ?? 0) <= VERSIONS_KEPT) return;
  try {
    await sweep(repositoryId, recipe.fingerprint);
  } catch (error) {
    logger.warn({ event: 'recipes-not-swept', err: error });
  }
}

interface PlanOfRun {
  readonly runId: RunId;
  readonly planDigest: Digest;
  readonly plan: FinishedPlan;
}

/** Several runs may prove the same next version side by side: the report goes by what it proves, so the first one counts. */
async function reportProof(
  { store, reports }: RunFinishedTools,
  event: Finished,
  { runId, planDigest, plan }: PlanOfRun,
): Promise<ReportOutcome | null> {
  const { recipe, repositoryId } = plan;
  if (recipe === undefined || recipe.teaches === null) return null;
  const { fingerprint, teaches } = recipe;
  const { version, rules } = teaches;
  const recipeDigest = await keepRecipe(store.content, teaches.recipe);
  const proven = digestOf(`${repositoryId}\n${fingerprint}\n${version}`).slice('sha256:'.length);
  const data = { runId, planDigest, fingerprint, version, recipeDigest, rules };
  return reports.send('planner.recipe-proved', data, envelopeOf(`recipe-${proven}`, event));
}

async function reportDoubt(
  { reports }: RunFinishedTools,
  event: Finished,
  { runId, planDigest, plan }: PlanOfRun,
): Promise<ReportOutcome | null> {
  const { recipe, following, otherwise } = plan;
  if (recipe === undefined || recipe.used === null) return null;
  const data = {
    runId,
    planDigest,
    fingerprint: recipe.fingerprint,
    recipeId: recipe.used.recipeId,
    jobs: [...following],
    ...(otherwise.length === 0 ? {} : { otherwise: [...otherwise] }),
  };
  return reports.send('planner.recipe-failed', data, envelopeOf(`recipe-failed-${runId}`, event));
}

const envelopeOf = (id: string, event: Finished) => ({
  id,
  causation: event.id,
  traceparent: traceparentOf() ?? event.traceparent,
});
