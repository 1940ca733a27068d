import type { Command, DispatchMessage, RecordedEventOf, Report } from '@delta-ci/contracts';
import type { RelaySource } from '../relay.ts';

/** Valid messages of every kind, for the specs. */

export const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const runId = (number: number): `run_${string}` => `run_${number.toString(16).padStart(32, '0')}`;

/** The event at a position: a deadline of the run with that number, unless told. */
export function eventAt(position: number, run = position, era = 'a'): RecordedEventOf<'run.planning-started'> {
  return {
    id: `00000000-0000-7000-8000-${position.toString(16).padStart(12, '0')}`,
    position,
    stream: `run-${runId(run)}`,
    version: 1,
    schemaVersion: 1,
    time: '2026-01-02T03:04:05.678Z',
    actor: { kind: 'service', name: 'orchestrator' },
    correlation: runId(run),
    causation: `command-${position}`,
    traceparent: TRACE,
    prevHash: `${era}${position - 1}`,
    hash: `${era}${position}`,
    type: 'run.planning-started',
    data: { deadlineAtMs: 1_767_323_045_678 },
  };
}

/** A log in memory: appends, and tells who waits. */
export class GrowingLog implements RelaySource {
  readonly events: RecordedEventOf<'run.planning-started'>[] = [];
  /** Says what the next reads are to fail with. */
  failure: Error | null = null;
  #waiting: (() => void)[] = [];

  grow(count: number, era = 'a'): void {
    for (let more = 0; more < count; more += 1) {
      const position = this.events.length + 1;
      this.events.push(eventAt(position, position, era));
    }
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async readAfter(position: number, limit: number): Promise<readonly RecordedEventOf<'run.planning-started'>[]> {
    if (this.failure !== null) throw this.failure;
    return this.events.slice(position, position + limit);
  }

  waitForMore(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#waiting.push(resolve);
    });
  }
}

export function reportOf(number: number): Report<'planner.planning-failed'> {
  return {
    id: `report-${number}`,
    kind: 'planner.planning-failed',
    causation: `event-${number}`,
    traceparent: TRACE,
    data: {
      runId: runId(number),
      code: 'clone_failed',
      message: 'the repository could not be read',
      inputsDigest: null,
    },
  };
}

export function dispatchOf(number: number, pool = 'default'): DispatchMessage {
  return {
    runId: runId(number),
    jobKey: 'unit',
    attempt: 1,
    pool,
    priority: 0,
    requirements: { pool, os: 'linux', isolation: 'sandbox', toolchains: [], labels: [] },
    queuedAtMs: 1_767_323_045_678,
    traceparent: TRACE,
  };
}

export const cancelCommand = (id: string): Command<'cancel-run'> => ({
  id,
  name: 'cancel-run',
  actor: { kind: 'service', name: 'gateway' },
  traceparent: TRACE,
  data: { runId: runId(1), reason: 'not needed any more' },
});
