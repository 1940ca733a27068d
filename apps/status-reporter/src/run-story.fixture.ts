import { createHash } from 'node:crypto';
import type { DomainEvent, FailureExplanation, RunId } from '@delta-ci/contracts';
import { ATTEMPT, created, leased, oneJobPlan } from '../../../test/support/made-up/one-job-run.ts';
import { aRepository } from '../../../test/support/made-up/repository.ts';

/** The run of one job at a forge of any name, and what the failure analyzer says of it. */

export const PROPOSED = oneJobPlan();
export const HEAD = PROPOSED.plan.commit;

export const runIdOf = (name: string): RunId => `run_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;

/** @param forge the name of the forge that the repository is at */
export const createdAt = (runId: RunId, forge = 'github'): DomainEvent[] =>
  created(runId, aRepository({ id: `${forge}/demo/shop` }), PROPOSED.plan.change);

export const started = (runId: RunId): DomainEvent[] => [
  ...leased({
    leaseHash: createHash('sha256').update(runId).digest('hex'),
    runnerId: `rnr_${runId.slice('run_'.length)}`,
  }),
  { type: 'attempt.started', data: ATTEMPT },
];

/** @param tests how many tests failed, each at a line of its own */
export const explained = (tests: number): DomainEvent => ({
  type: 'failure.explained',
  data: { ...ATTEMPT, explanation: explanationOf(tests) },
});

const explanationOf = (tests: number): FailureExplanation => ({
  class: 'user',
  category: 'test',
  confidence: 'high',
  headline: `${tests} tests of the cart failed`,
  sentences: [{ text: 'A sum differs.', evidence: [] }],
  location: null,
  failedTests: Array.from({ length: tests }, (_, index) => ({
    name: `adds ${index}`,
    suite: 'cart',
    message: 'expected 2, received 3',
    path: 'packages/cart/cart.test.js',
    line: index + 1,
  })),
  rules: [],
  nextStep: 'Look at the first test.',
  incomplete: [],
});
