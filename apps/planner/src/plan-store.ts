import { StoreError, digestOf, type FileArtifactStore } from '@delta-ci/artifact-store';
import { Plan, canonicalJson, type Digest } from '@delta-ci/contracts';
import { failure, type PlanningFailure } from './planning-outcome.ts';

/** Ten thousand jobs with their explanations stay below this; a larger plan is a defect. */
const PLAN_BYTES_MAX = 64 * 1_024 ** 2;

/** Keeps the plan's body under the digest of its canonical text. Repeating it changes nothing. */
export async function storePlan(
  store: FileArtifactStore,
  plan: Plan,
): Promise<{ readonly digest: Digest; readonly sizeBytes: number }> {
  const body = Buffer.from(canonicalJson(plan), 'utf8');
  return store.content.put(body, { expected: digestOf(body), sizeBytesMax: PLAN_BYTES_MAX });
}

/** The plan of an earlier run. Its digest proves that it is the one that was recorded. */
export async function loadPlan(store: FileArtifactStore, digest: Digest): Promise<Plan | PlanningFailure> {
  try {
    const body = await store.content.read(digest, PLAN_BYTES_MAX);
    const parsed = Plan.safeParse(JSON.parse(Buffer.from(body).toString('utf8')));
    if (parsed.success) return parsed.data;
    return failure('invalid_rerun', `the earlier plan ${digest} is not of a shape that this version can run again`);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'not_found') {
      return failure('invalid_rerun', `the earlier plan ${digest} is no longer kept; start a new run instead`);
    }
    throw error;
  }
}
