import { describe, expect, it } from '@jest/globals';
import { refuse, type Refusal } from '@delta-ci/contracts';
import { grantOutcome, grantSubmission } from './grant-submission.ts';
import { GRANTEE, LEASE, WORK, leasedRun } from './made-up-commands.fixture.ts';

const refused = (refusal: Refusal) => ({ ok: false as const, refusal });

describe('what the answer to a grant means', () => {
  it('given an attempt that waits no more, then the work is gone', () => {
    const { answer } = leasedRun().take(
      grantSubmission({ ...GRANTEE, leaseHash: '7'.repeat(64), runnerId: 'rnr_other' }, WORK),
    );
    expect(answer).toMatchObject({ ok: false, refusal: { code: 'invalid_transition' } });
    expect(grantOutcome(answer as ReturnType<typeof refused>)).toEqual({ kind: 'gone' });
  });

  it('given a lease that was granted before, for something else, then the work waits on', () => {
    const { answer } = leasedRun().take(grantSubmission(GRANTEE, { ...WORK, attempt: 2 }));
    expect(grantOutcome(answer as ReturnType<typeof refused>)).toMatchObject({
      kind: 'refused',
      refusal: { code: 'conflicting_repeat' },
    });
  });

  it.each(['unavailable', 'internal'] as const)('given %s, then nobody knows, and it throws', (code) => {
    expect(() => grantOutcome(refused(refuse(code, 'no answer of the database')))).toThrow('no answer of the database');
  });

  it.each([
    ['lease_one_live_per_runner', 'invalid_transition'],
    ['lease_hash_unique', 'conflicting_repeat'],
  ])('given a row that %s has already, then the refusal is %s and the work waits on', (index, code) => {
    const refusal = grantSubmission({ ...GRANTEE, leaseHash: LEASE }, WORK).refuseClash?.(index);
    expect(refusal?.code).toBe(code);
    expect(grantOutcome(refused(refusal ?? refuse('internal', 'unnamed')))).toEqual({ kind: 'refused', refusal });
  });

  it('given a row that another index has already, then nothing explains it', () => {
    expect(grantSubmission(GRANTEE, WORK).refuseClash?.('lease_one_live_per_job')).toBeNull();
  });
});
