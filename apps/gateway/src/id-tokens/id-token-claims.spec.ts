import { describe, expect, it } from '@jest/globals';
import { aChange } from '../../../../test/support/made-up/change.ts';
import { aGrantedLease } from '../../../../test/support/made-up/granted-lease.ts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { claimsOf, subjectOf } from './id-token-claims.ts';

const LEASE = aGrantedLease('publish', { attempt: 2, fence: 2 });

describe('the subject of an identity token', () => {
  it.each([
    ['refs/heads/main', 'ref_type:branch:ref:main'],
    ['refs/heads/refs/tags/v1', 'ref_type:branch:ref:refs/tags/v1'],
    ['refs/tags/v1', 'ref_type:tag:ref:v1'],
    ['refs/pull/7/head', 'ref_type:other:ref:refs/pull/7/head'],
    ['main', 'ref_type:other:ref:main'],
  ])('given %s, then it says what kind of ref it is', (ref, expected) => {
    const plan = aPlan({ change: aChange({ ref }) });
    const claims = claimsOf(plan, LEASE, false);
    expect(subjectOf(claims)).toBe(`repository:${plan.repository.id}:${expected}`);
    expect(claims).toMatchObject({ ref_path: ref, run_id: LEASE.runId, job: 'publish', attempt: 2, fence: 2 });
  });
});
