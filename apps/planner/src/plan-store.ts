import { StoreError, digestOf, type ArtifactStore } from '@delta-ci/artifact-store';
import type { Digest } from '@delta-ci/contracts';
import { INPUTS_BYTES_MAX, PLAN_BYTES_MAX } from './plan-to-text.ts';
import { failure, type PlanningFailure } from './planning-outcome.ts';

/** Keeps a plan's canonical text under its digest. Repeating it changes nothing. */
export async function storePlan(
  store: ArtifactStore,
  text: Uint8Array,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  return store.content.put(text, { expected: digestOf(text), sizeBytesMax: PLAN_BYTES_MAX });
}

/** Keeps what a plan was made of, so that it can be made again. */
export async function storeInputs(store: ArtifactStore, inputs: Uint8Array): Promise<Digest> {
  const stored = await store.content.put(inputs, { expected: digestOf(inputs), sizeBytesMax: INPUTS_BYTES_MAX });
  return stored.digest;
}

/** Whether a plan, and what it was made of, can still be read under the digests it was stored with. */
export async function isStored(
  { content }: ArtifactStore,
  { digest, inputsDigest }: { readonly digest: Digest; readonly inputsDigest: Digest | null },
): Promise<boolean> {
  const kept = [digest, inputsDigest].filter((each) => each !== null);
  const sizes = await Promise.all(kept.map(async (each) => content.size(each)));
  return sizes.every((size) => size !== null);
}

/** The text of an earlier run's plan. Its digest proves that it is the one that was recorded. */
export async function readPlanText(store: ArtifactStore, digest: Digest): Promise<Uint8Array | PlanningFailure> {
  try {
    return await store.content.read(digest, PLAN_BYTES_MAX);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'not_found') {
      return failure('invalid_rerun', `the earlier plan ${digest} is no longer kept; start a new run instead`);
    }
    throw error;
  }
}
