import type { Digest, GrantedLease, LeaseOffer, Plan } from '@delta-ci/contracts';

/** Plans are immutable and most leases of a while are of few runs; a large plan is some megabytes. */
const PLANS_KEPT_MAX = 16;

/** Plans by digest, the last few kept: a run's jobs are leased one after another from the same plan. */
export class PlanShelf {
  readonly #plans = new Map<Digest, Plan>();
  readonly #find: (digest: Digest) => Promise<Plan | null>;

  constructor(find: (digest: Digest) => Promise<Plan | null>) {
    this.#find = find;
  }

  async take(digest: Digest): Promise<Plan | null> {
    const plan = this.#plans.get(digest) ?? (await this.#find(digest));
    if (plan === null) return null;
    this.#plans.delete(digest);
    this.#plans.set(digest, plan);
    const oldest = this.#plans.keys().next();
    if (this.#plans.size > PLANS_KEPT_MAX && !oldest.done) this.#plans.delete(oldest.value);
    return plan;
  }
}

/** Everything the runner needs; null when the plan has no such job, which would be a broken invariant. */
export function offerFor(leaseId: string, lease: GrantedLease, plan: Plan): LeaseOffer | null {
  const job = plan.jobs.find(({ key }) => key === lease.jobKey);
  if (job === undefined) return null;
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
      token: null,
    },
    secrets: {},
  };
}
