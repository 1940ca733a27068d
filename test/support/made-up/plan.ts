import { hash } from 'node:crypto';
import { DEFAULT_RUN_POLICY, canonicalJson, type Json, type Plan, type ProposedPlan } from '@delta-ci/contracts';
import { aChange } from './change.ts';
import { aRepository } from './repository.ts';

/** A plan without jobs; commit, base and trust follow the change unless they are given. */
export function aPlan(over: Partial<Plan> = {}): Plan {
  const change = over.change ?? aChange();
  return {
    version: 1,
    repository: aRepository(),
    change,
    commit: change.head,
    tree: 'c'.repeat(40),
    comparedWith: change.base,
    trust: change.trust,
    source: { kind: 'discovery', evidence: 'package.json' },
    rerun: null,
    jobs: [],
    skipped: [],
    units: [],
    files: [],
    policy: DEFAULT_RUN_POLICY,
    notes: [],
    summary: 'a plan',
    inputs: {},
    ...over,
  };
}

/** A plan as a planner proposes it: with the digest of its canonical text. */
export function proposed(plan: Plan): ProposedPlan {
  return { digest: `sha256:${hash('sha256', canonicalJson(plan as Json))}`, plan };
}
