import { describe, expect, it } from '@jest/globals';
import { WhyItWaits, type JobRequirements, type RunnerCapabilities } from '@delta-ci/contracts';
import fc from 'fast-check';
import { whyItWaits, type WaitingScene } from './why-it-waits.ts';

const REQUIREMENTS: JobRequirements = {
  pool: 'big',
  os: 'linux',
  isolation: 'sandbox',
  toolchains: [],
  labels: ['gpu'],
};
const FITS: RunnerCapabilities = { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels: ['gpu'] };
const LACKS: RunnerCapabilities = { ...FITS, labels: [] };

const JOB = { state: 'active', needs: [], queued: true, requirements: REQUIREMENTS } as const;
const SCENE: WaitingScene = {
  runState: 'running',
  maxConcurrency: 2,
  unfinishedAttempts: 1,
  jobKey: 'unit',
  job: JOB,
  runners: [{ capabilities: FITS, busy: true }],
  heldBack: [],
};

describe('why a job waits', () => {
  it.each<[string, Partial<WaitingScene>, Partial<WhyItWaits>]>([
    [
      'its run has no plan',
      { job: null, runState: 'planning' },
      { reason: 'planning', sentence: "unit waited for its run's plan: the run was planning." },
    ],
    [
      'a job it needs is not over',
      {
        job: {
          ...JOB,
          state: 'blocked',
          queued: false,
          needs: [
            { jobKey: 'build', state: 'active' },
            { jobKey: 'lint', state: 'finished' },
          ],
        },
      },
      {
        reason: 'needs',
        needs: [{ jobKey: 'build', state: 'active' }],
        sentence: 'unit was blocked by build (active).',
      },
    ],
    [
      'its run has enough under way',
      { job: { ...JOB, state: 'ready', queued: false }, unfinishedAttempts: 2 },
      {
        reason: 'run-concurrency',
        sentence: 'unit was ready and waited for its own run, which had 2 of at most 2 attempts under way.',
      },
    ],
    [
      'its run starts nothing more',
      { job: { ...JOB, state: 'ready', queued: false } },
      { reason: 'starts-nothing-more' },
    ],
    ['its run is canceled', { runState: 'canceling' }, { reason: 'starts-nothing-more' }],
    [
      'there is no runner',
      { runners: [], heldBack: ['max 3: 4 would be used'] },
      {
        reason: 'no-runner',
        capacity: ['max 3: 4 would be used'],
        sentence: 'unit waited because pool big had no runner. Capacity was held back: max 3: 4 would be used.',
      },
    ],
    [
      'no runner can take it',
      { runners: [{ capabilities: LACKS, busy: false }] },
      { reason: 'no-runner-matches', mismatches: ['the runner does not have the label gpu'] },
    ],
    [
      'all that could take it are busy',
      {
        runners: [
          { capabilities: FITS, busy: true },
          { capabilities: LACKS, busy: false },
        ],
      },
      {
        reason: 'no-runner-free',
        sentence: 'unit waited because the only runner of pool big that could take it was busy or had had its job.',
      },
    ],
    [
      'a runner is just getting it',
      { runners: [{ capabilities: FITS, busy: false }] },
      { reason: 'about-to-be-taken' },
    ],
    ['a runner has it', { job: { ...JOB, queued: false } }, { reason: 'not-waiting' }],
    ['its run ended without a plan', { job: null, runState: 'finished' }, { reason: 'not-waiting' }],
    ['it is over', { job: { ...JOB, state: 'finished', queued: false } }, { reason: 'not-waiting' }],
  ])('when %s', (_, change, expected) => {
    expect(whyItWaits({ ...SCENE, ...change })).toMatchObject(expected);
  });

  it('law: there is always one reason, in its shape and in a sentence about the job', () => {
    const scenes = fc.record({
      runState: fc.constantFrom('created', 'planning', 'queued', 'running', 'canceling', 'finished'),
      maxConcurrency: fc.integer({ min: 1, max: 3 }),
      unfinishedAttempts: fc.nat(3),
      jobKey: fc.constant('unit'),
      job: fc.option(
        fc.record({
          state: fc.constantFrom('blocked', 'ready', 'active', 'finished'),
          needs: fc.array(fc.record({ jobKey: fc.constant('build'), state: fc.constantFrom('blocked', 'finished') })),
          queued: fc.boolean(),
          requirements: fc.constant(REQUIREMENTS),
        }),
      ),
      runners: fc.array(fc.record({ capabilities: fc.constantFrom(FITS, LACKS), busy: fc.boolean() }), {
        maxLength: 4,
      }),
      heldBack: fc.array(fc.constantFrom('cost cap 1 reached: new work waits'), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(scenes, (scene) => {
        const why = whyItWaits(scene as WaitingScene);
        expect(WhyItWaits.safeParse(why).success).toBe(true);
        expect(why.sentence.startsWith('unit ')).toBe(true);
      }),
    );
  });
});
