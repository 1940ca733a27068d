import type { ArtifactStore } from '@delta-ci/artifact-store';
import type { Digest, RepositoryId } from '@delta-ci/contracts';
import { findOutgrownRecipes, type LogConnection } from '@delta-ci/event-log';

/**
 * Versions under one fingerprint of which the texts are kept: the newest is in use, and plans that are being made, or runs
 * that are not over, may be by one before it. What was learned when stands in the log for ever; of older ones just that.
 */
export const VERSIONS_KEPT = 10;

/**
 * Removes the texts of recipes that newer ones have long taken the place of. A text that is taught again at this very moment may
 * be lost with them: then the next plan finds its recipe no longer kept, is discovered, and teaches it once more.
 */
export async function sweepRecipes(
  { log, store }: { readonly log: LogConnection; readonly store: Pick<ArtifactStore, 'content'> },
  repository: RepositoryId,
  fingerprint: Digest,
): Promise<number> {
  const outgrown = await findOutgrownRecipes(log, repository, fingerprint, VERSIONS_KEPT);
  await store.content.remove(outgrown);
  return outgrown.length;
}
