import type { TestMeshOptions } from '../support/mesh/index.ts';
import type { InvariantId } from './checker/invariants.ts';
import type { Stage } from './stage.ts';

/** How often each fault of a scenario really happened. One that never did fails the scenario. */
export type Provoked = Readonly<Record<string, number>>;

/** A fault, as data: what is hurt, what that shows, and how it is done. */
export interface Scenario {
  readonly name: string;
  /** What gets hurt, for the table of scenarios. */
  readonly hurts: string;
  /** What has to hold all the same, beside every invariant. */
  readonly shows: string;
  readonly mesh?: Pick<TestMeshOptions, 'ownPostgres' | 'env'>;
  /** Invariants that this scenario has to put to the test, beside those that every scenario does. */
  readonly requires?: readonly InvariantId[];
  /** How late on top of the timings of its policy a mesh hurt like this may notice things, in milliseconds. */
  readonly slackMs: number;
  /** Why this machine cannot play it; null when it can. */
  readonly missingHere?: () => string | null;
  /** Hurts the mesh while it works, and puts right what does not mend by itself. Throws when the system does not do what it should. */
  readonly act: (stage: Stage) => Promise<Provoked>;
}

/** What every scenario puts to the test: all of them run changes with jobs that leave artifacts, to a forge that is watched. */
export const ALWAYS_REQUIRED: readonly InvariantId[] = [
  'accepted-runs-kept',
  'positions-whole',
  'versions-whole',
  'chain-verifies',
  'fold-equals-tables',
  'ends-once',
  'nothing-after-end',
  'everything-ended',
  'fences-grow',
  'one-live-lease',
  'current-lease-counts',
  'budgets-kept',
  'delivery-once',
  'stream-copies-log',
  'nothing-runs-unleased',
  'attempt-executed-once',
  'success-was-executed',
  'rerun-has-reason',
  'forge-converges',
  'artifacts-match',
  'no-secrets-told',
  'nothing-left-running',
];
