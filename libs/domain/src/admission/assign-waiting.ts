import type { EpochMs, JobRequirements, RunnerCapabilities } from '@delta-ci/contracts';
import { matchRequirements } from './match-requirements.ts';

export interface WaitingAttempt {
  readonly priority: number;
  readonly queuedAtMs: EpochMs;
  readonly requirements: JobRequirements;
}

export interface WaitingRunner {
  readonly capabilities: RunnerCapabilities;
}

/** Who gets what, and which attempts none of those waiting can take now. */
export interface Admission<A extends WaitingAttempt, R extends WaitingRunner> {
  readonly assigned: readonly { readonly attempt: A; readonly runner: R }[];
  readonly unassigned: readonly A[];
}

/**
 * Gives each attempt, highest priority and then oldest first, the runner that waits longest of those that can take it.
 * @param runners in the order in which they came
 */
export function assignWaiting<A extends WaitingAttempt, R extends WaitingRunner>(
  attempts: readonly A[],
  runners: readonly R[],
): Admission<A, R> {
  const free = new Set(runners);
  const assigned: { attempt: A; runner: R }[] = [];
  const unassigned: A[] = [];
  for (const attempt of [...attempts].sort(goesFirst)) {
    const runner = firstMatch(attempt, free);
    if (runner === null) {
      unassigned.push(attempt);
    } else {
      free.delete(runner);
      assigned.push({ attempt, runner });
    }
  }
  return { assigned, unassigned };
}

function goesFirst(a: WaitingAttempt, b: WaitingAttempt): number {
  return b.priority - a.priority || a.queuedAtMs - b.queuedAtMs;
}

function firstMatch<R extends WaitingRunner>(attempt: WaitingAttempt, free: ReadonlySet<R>): R | null {
  for (const runner of free) {
    if (matchRequirements(attempt.requirements, runner.capabilities).ok) return runner;
  }
  return null;
}
