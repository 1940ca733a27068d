import type { EpochMs, JobRequirements, RunnerCapabilities } from '@delta-ci/contracts';
import { matchRequirements, type Mismatch } from './match-requirements.ts';

export interface WaitingAttempt {
  readonly priority: number;
  readonly queuedAtMs: EpochMs;
  readonly requirements: JobRequirements;
}

export interface WaitingRunner {
  readonly waitingSinceMs: EpochMs;
  readonly capabilities: RunnerCapabilities;
}

/** Who gets what, and why each attempt that got nothing did not. */
export interface Admission<A extends WaitingAttempt, R extends WaitingRunner> {
  readonly assigned: readonly { readonly attempt: A; readonly runner: R }[];
  readonly unassigned: readonly {
    readonly attempt: A;
    /** `no-runner-free`: one could take it, all such are taken. `no-runner-matches`: none of those waiting could. */
    readonly reason: 'no-runner-free' | 'no-runner-matches';
    /** What was missing at the runner that came closest; empty when one could have taken it. */
    readonly mismatches: readonly Mismatch[];
  }[];
}

/** Gives each attempt, highest priority and then oldest first, the runner that waits longest of those that can take it. */
export function assignWaiting<A extends WaitingAttempt, R extends WaitingRunner>(
  attempts: readonly A[],
  runners: readonly R[],
): Admission<A, R> {
  const free = new Set([...runners].sort((a, b) => a.waitingSinceMs - b.waitingSinceMs));
  const assigned: { attempt: A; runner: R }[] = [];
  const unassigned: Admission<A, R>['unassigned'][number][] = [];
  for (const attempt of [...attempts].sort(goesFirst)) {
    const runner = firstMatch(attempt, free);
    if (runner === null) {
      unassigned.push(whyNot(attempt, runners));
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

function whyNot<A extends WaitingAttempt>(
  attempt: A,
  runners: readonly WaitingRunner[],
): { attempt: A; reason: 'no-runner-free' | 'no-runner-matches'; mismatches: readonly Mismatch[] } {
  let closest: readonly Mismatch[] | null = null;
  for (const { capabilities } of runners) {
    const match = matchRequirements(attempt.requirements, capabilities);
    if (match.ok) return { attempt, reason: 'no-runner-free', mismatches: [] };
    if (closest === null || match.mismatches.length < closest.length) closest = match.mismatches;
  }
  return { attempt, reason: 'no-runner-matches', mismatches: closest ?? [] };
}
