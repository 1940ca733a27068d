import type { RunId, RunView } from '@delta-ci/contracts';
import type { PublicationLinks } from '@delta-ci/forge';
import { backoffMs, type BackoffPolicy, type Logger } from '@delta-ci/service';
import type { ForgeDesk } from './forge-desk.ts';
import { publishRun } from './publish-run.ts';
import { PublishedStates, type PublicationRecord } from './published-states.ts';
import type { LookCause } from './run-queue.ts';
import { UnansweredCalls } from './unanswered-calls.ts';

export interface RunReporterParts {
  /** The run as of now; null when there is none. */
  view: (runId: RunId) => Promise<RunView | null>;
  /** The forge that a repository's checks go to; null when there is none. */
  deskOf: (view: RunView) => ForgeDesk | null;
  record: (view: RunView, record: PublicationRecord, cause: LookCause) => Promise<void>;
  links: PublicationLinks;
  backoff: BackoffPolicy;
  /** How long after it was given up a call may still be carried out. */
  lateMs: number;
  nowMs: () => number;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** Runs whose failures in a row are remembered; one that is forgotten starts with the shortest pause again. */
const FAILING_RUNS_MAX = 10_000;

/** Looks at a run and makes its forge show it; says when to look again if that did not work. */
export class RunReporter {
  readonly #parts: RunReporterParts;
  readonly #states = new PublishedStates();
  readonly #failures = new Map<RunId, number>();
  /** What the forge may still do that nobody waits for. */
  readonly unanswered: UnansweredCalls;

  constructor(parts: RunReporterParts) {
    this.#parts = parts;
    this.unanswered = new UnansweredCalls(parts);
  }

  /** @returns milliseconds after which to look again, or null when the forge shows the run as it is. Never rejects. */
  async look(runId: RunId, cause: LookCause): Promise<number | null> {
    const { logger } = this.#parts;
    try {
      return await this.#lookOnce(runId, cause);
    } catch (error) {
      const waitMs = this.#pauseAfterFailure(runId);
      logger.warn({ event: 'look-failed', run_id: runId, wait_ms: waitMs, err: error });
      return waitMs;
    }
  }

  async #lookOnce(runId: RunId, cause: LookCause): Promise<number | null> {
    const { view: showRun, deskOf, record, links, nowMs, logger } = this.#parts;
    const view = await showRun(runId);
    if (view === null) return null;
    const desk = deskOf(view);
    const closedMs = (desk?.closedUntilMs ?? 0) - nowMs();
    if (closedMs > 0) return closedMs;
    const { certainty, waitMs: untilDueMs } = this.unanswered.of(view);
    const outcome = await publishRun(view, desk, {
      links,
      certainty,
      states: this.#states,
      record: async (published, what) => record(published, what, cause),
      nowMs,
    });
    if (outcome.kind === 'done') {
      this.#failures.delete(runId);
      if (certainty === 'due' || outcome.isSplit) this.unanswered.confirmed(runId, outcome.isSplit);
      if (outcome.sent > 0) logger.info({ event: 'published', run_id: runId, position: view.position, ...outcome });
      return certainty === 'waiting' ? untilDueMs : null;
    }
    if (outcome.failure.kind === 'unavailable') this.unanswered.unanswered(runId);
    const waitMs = Math.max(this.#pauseAfterFailure(runId), (desk?.closedUntilMs ?? 0) - nowMs());
    logger.warn({ event: 'publishing-failed', run_id: runId, forge: desk?.name, wait_ms: waitMs, ...outcome });
    return waitMs;
  }

  #pauseAfterFailure(runId: RunId): number {
    const failures = (this.#failures.get(runId) ?? 0) + 1;
    this.#failures.set(runId, failures);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > FAILING_RUNS_MAX && oldest !== undefined) this.#failures.delete(oldest);
    return backoffMs(this.#parts.backoff, failures, Math.random());
  }
}
