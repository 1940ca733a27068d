import { findSourceToken, type ForgeSettings } from '@delta-ci/forge';
import type { Digest, GrantedLease, JobKey, LeaseOffer, Plan, PlannedJob } from '@delta-ci/contracts';

/** Plans are immutable and most leases of a while are of few runs; a large plan is some megabytes. */
const PLANS_KEPT_MAX = 16;

/** A plan, with its jobs by their keys. */
export interface ShelvedPlan {
  readonly plan: Plan;
  readonly jobs: ReadonlyMap<JobKey, PlannedJob>;
}

/** Plans by digest, the last few kept: a run's jobs are leased one after another from the same plan. */
export class PlanShelf {
  readonly #plans = new Map<Digest, Promise<ShelvedPlan | null>>();
  readonly #find: (digest: Digest) => Promise<Plan | null>;

  constructor(find: (digest: Digest) => Promise<Plan | null>) {
    this.#find = find;
  }

  /** Null when there is no such plan. Those who come while it is fetched wait for the same fetch. */
  async take(digest: Digest): Promise<ShelvedPlan | null> {
    const taken = this.#plans.get(digest) ?? this.#fetch(digest);
    this.#plans.delete(digest);
    this.#plans.set(digest, taken);
    const oldest = this.#plans.keys().next();
    if (this.#plans.size > PLANS_KEPT_MAX && !oldest.done) this.#plans.delete(oldest.value);
    try {
      const found = await taken;
      if (found === null) this.#forget(digest, taken);
      return found;
    } catch (error) {
      this.#forget(digest, taken);
      throw error;
    }
  }

  async #fetch(digest: Digest): Promise<ShelvedPlan | null> {
    const plan = await this.#find(digest);
    return plan === null ? null : { plan, jobs: new Map(plan.jobs.map((job) => [job.key, job])) };
  }

  /** What was not found, or could not be looked up, is looked up again by the next who asks. */
  #forget(digest: Digest, taken: Promise<ShelvedPlan | null>): void {
    if (this.#plans.get(digest) === taken) this.#plans.delete(digest);
  }
}

/** A job of a plan, and the lease that somebody holds of it. */
export interface LeasedJob {
  readonly lease: GrantedLease;
  readonly plan: Plan;
  readonly job: PlannedJob;
}

/** The job of a lease. @throws Error when its plan has no such job, which would be a broken invariant */
export function leasedJob(lease: GrantedLease, shelved: ShelvedPlan | null): LeasedJob {
  const { planDigest, jobKey } = lease;
  const job = shelved?.jobs.get(jobKey);
  if (shelved === null || job === undefined)
    throw new Error(`plan ${planDigest} has no job ${jobKey}, which was leased`);
  return { lease, plan: shelved.plan, job };
}

/**
 * Everything the runner needs. The token that reads the source goes along for untrusted changes too: a fork's commits are
 * fetched from the repository they want to get into.
 * @param secrets the values of what the job names, for this one lease
 */
export function offerFor(
  leaseId: string,
  { lease, plan, job }: LeasedJob,
  secrets: LeaseOffer['secrets'],
  forges: readonly ForgeSettings[],
): LeaseOffer {
  const { planDigest: _, ...terms } = lease;
  return {
    leaseId,
    ...terms,
    trust: plan.trust,
    job,
    source: {
      cloneUrl: plan.repository.cloneUrl,
      ref: plan.change.ref,
      commit: plan.commit,
      tree: plan.tree,
      token: findSourceToken(forges, plan.repository),
    },
    secrets,
  };
}
