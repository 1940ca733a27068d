import { digestOf, keepRecipe, type FileArtifactStore } from '@delta-ci/artifact-store';
import type { ReportClient, ReportOutcome } from '@delta-ci/bus';
import type { Digest, Plan, RecordedEventOf, RepositoryId, RunId } from '@delta-ci/contracts';
import { departsFromDiscovery, followsRecipe } from '@delta-ci/planning';
import { traceparentOf, withIds, type Logger } from '@delta-ci/service';
import { concernOf, type ConcernedRuns } from './concerned-runs.ts';
import { loadPlan } from './plan-store.ts';
import { VERSIONS_KEPT } from './sweep-recipes.ts';

/** What the handler needs of the process around it. */
export interface RunFinishedTools {
  readonly concerned: ConcernedRuns;
  /** For runs that another planner planned, or this one before it was started again. */
  readonly planOfRun: (runId: RunId) => Promise<Digest | null>;
  readonly store: FileArtifactStore;
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
  const planDigest = known?.planDigest ?? (await tools.planOfRun(runId));
  if (planDigest === null) return;
  const plan = await loadPlan(tools.store, planDigest);
  const logger = withIds(tools.logger, { run: runId });
  if ('kind' in plan) {
    logger.warn({ event: 'nothing-learned', planDigest }, plan.message);
    return;
  }
  const concern = concernOf(plan, planDigest);
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
async function tidy({ sweep }: RunFinishedTools, { repository, source }: Plan, logger: Logger): Promise<void> {
  const { recipe } = source;
  if (recipe === undefined || (recipe.teaches?.version ?? 0) <= VERSIONS_KEPT) return;
  try {
    await sweep(repository.id, recipe.fingerprint);
  } catch (error) {
    logger.warn({ event: 'recipes-not-swept', err: error });
  }
}

interface FinishedPlan {
  readonly runId: RunId;
  readonly planDigest: Digest;
  readonly plan: Plan;
}

/** Several runs may prove the same next version side by side: the report goes by what it proves, so the first one counts. */
async function reportProof(
  { store, reports }: RunFinishedTools,
  event: Finished,
  { runId, planDigest, plan }: FinishedPlan,
): Promise<ReportOutcome | null> {
  const { recipe } = plan.source;
  if (recipe === undefined || recipe.teaches === null) return null;
  const { fingerprint, teaches } = recipe;
  const { version, rules } = teaches;
  const recipeDigest = await keepRecipe(store.content, teaches.recipe);
  const proven = digestOf(`${plan.repository.id}\n${fingerprint}\n${version}`).slice('sha256:'.length);
  const data = { runId, planDigest, fingerprint, version, recipeDigest, rules };
  return reports.send('planner.recipe-proved', data, envelopeOf(`recipe-${proven}`, event));
}

async function reportDoubt(
  { reports }: RunFinishedTools,
  event: Finished,
  { runId, planDigest, plan }: FinishedPlan,
): Promise<ReportOutcome | null> {
  const { recipe } = plan.source;
  if (recipe === undefined || recipe.used === null) return null;
  const following = plan.jobs.filter(followsRecipe);
  const otherwise = following.filter(departsFromDiscovery).map(({ key }) => key);
  const data = {
    runId,
    planDigest,
    fingerprint: recipe.fingerprint,
    recipeId: recipe.used.recipeId,
    jobs: following.map(({ key }) => key),
    ...(otherwise.length === 0 ? {} : { otherwise }),
  };
  return reports.send('planner.recipe-failed', data, envelopeOf(`recipe-failed-${runId}`, event));
}

const envelopeOf = (id: string, event: Finished) => ({
  id,
  causation: event.id,
  traceparent: traceparentOf() ?? event.traceparent,
});
