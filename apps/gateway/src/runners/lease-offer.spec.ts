import { describe, expect, it } from '@jest/globals';
import type { Plan, TrustLevel } from '@delta-ci/contracts';
import type { ForgeSettings } from '@delta-ci/forge';
import { aGrantedLease } from '../../../../test/support/made-up/granted-lease.ts';
import { aPlan } from '../../../../test/support/made-up/plan.ts';
import { aPlannedJob } from '../../../../test/support/made-up/planned-job.ts';
import { aRepository } from '../../../../test/support/made-up/repository.ts';
import { leasedJob, offerFor, PlanShelf } from './lease-offer.ts';

const PLAN = aPlan({ jobs: [aPlannedJob('unit'), aPlannedJob('lint')] });
const LEASE = aGrantedLease('unit');
const DIGEST = LEASE.planDigest;

describe('plans on the shelf', () => {
  it('given many who ask at once, then one fetch serves them all', async () => {
    let fetches = 0;
    const shelf = new PlanShelf(async () => {
      fetches += 1;
      return Promise.resolve(PLAN);
    });
    const taken = await Promise.all([shelf.take(DIGEST), shelf.take(DIGEST), shelf.take(DIGEST)]);
    expect([fetches, ...taken.map((one) => one?.jobs.get('lint')?.key)]).toEqual([1, 'lint', 'lint', 'lint']);
  });

  it.each<[string, () => Promise<Plan | null>]>([
    ['could not be looked up', () => Promise.reject(new Error('the database is away'))],
    ['was not there', () => Promise.resolve(null)],
  ])('given a plan that %s, when it is asked for again, then it is looked up again', async (_name, first) => {
    const answers = [first, () => Promise.resolve(PLAN)];
    const shelf = new PlanShelf(async () => (answers.shift() ?? first)());
    await shelf.take(DIGEST).catch(() => null);
    expect((await shelf.take(DIGEST))?.plan).toBe(PLAN);
  });
});

describe('the source in an offer', () => {
  const repository = aRepository({ cloneUrl: 'https://forge.example/demo/shop.git' });
  const FORGE: ForgeSettings = {
    kind: 'github',
    name: 'github',
    apiUrl: 'https://api.forge.example',
    webhookSecret: 'fake-webhook-secret',
    token: 'fake-publishing-token',
    cloneProtocols: ['https'],
    allowPrivateAddresses: false,
    repositories: [{ id: repository.id, cloneUrl: repository.cloneUrl, defaultBranch: 'main' }],
    sourceTokens: new Map([[repository.id, 'fake-source-token']]),
  };
  const tokenFor = (over: Partial<Plan>, forge = FORGE): string | null => {
    const plan = aPlan({ repository, jobs: [aPlannedJob('unit')], ...over });
    const jobs = new Map(plan.jobs.map((job) => [job.key, job]));
    return offerFor('e'.repeat(64), leasedJob(LEASE, { plan, jobs }), {}, [forge]).source.token;
  };

  it.each<TrustLevel>(['trusted', 'untrusted'])(
    'given a change that is %s, then it has the token that reads it',
    (trust) => expect(tokenFor({ trust })).toBe('fake-source-token'),
  );

  it('given another address than the settings have, or no token for sources, then it has none', () => {
    expect(tokenFor({ repository: { ...repository, cloneUrl: 'https://forge.example/demo/other.git' } })).toBeNull();
    expect(tokenFor({ repository: { ...repository, id: 'github/demo/other' } })).toBeNull();
    expect(tokenFor({}, { ...FORGE, sourceTokens: new Map() })).toBeNull();
  });
});

describe('the job of a lease', () => {
  it('given a plan that is not there, or has no such job, then an invariant is broken', () => {
    const jobs = new Map(PLAN.jobs.map((job) => [job.key, job]));
    const lease = { ...LEASE, jobKey: 'docs' };
    expect(() => leasedJob(lease, { plan: PLAN, jobs })).toThrow('has no job docs, which was leased');
    expect(() => leasedJob(lease, null)).toThrow('has no job docs, which was leased');
  });
});
