import type { CommandAnswer, DispatchMessage, DomainEventOf } from '@delta-ci/contracts';
import type { LogWriter, Submission } from '@delta-ci/event-log';

type Queued = DomainEventOf<'attempt.queued'>['data'] & {
  runId: string;
  traceparent: string | null;
  queuedAtMs: number;
};

/**
 * Submits decisions to the log, and puts newly queued attempts before their pools once they are committed. That second
 * part is a convenience: when it fails, or this process dies before it, the sweep for waiting attempts does it later.
 */
export class Ledger {
  readonly #writer: LogWriter;
  readonly #dispatch: (attempts: readonly DispatchMessage[]) => void;

  constructor(writer: LogWriter, dispatch: (attempts: readonly DispatchMessage[]) => void) {
    this.#writer = writer;
    this.#dispatch = dispatch;
  }

  /** Resolves when the decision is committed, or refused; never rejects. */
  async submit(submission: Submission): Promise<CommandAnswer> {
    let queued: Queued[] = [];
    const answer = await this.#writer.submit({
      ...submission,
      decide: (view) => {
        const result = submission.decide(view);
        queued = result.appends.flatMap(({ stream, events }) =>
          events.flatMap((event) =>
            event.type === 'attempt.queued'
              ? [
                  {
                    ...event.data,
                    runId: stream.slice('run-'.length),
                    traceparent: submission.traceparent,
                    queuedAtMs: view.nowMs,
                  },
                ]
              : [],
          ),
        );
        return result;
      },
    });
    if (queued.length > 0 && !isOurFault(answer)) this.#dispatch(queued.map(dispatchMessage));
    return answer;
  }
}

/** Whether the transaction did not commit: refusals of the decision itself may still have left events. */
function isOurFault(answer: CommandAnswer): boolean {
  return !answer.ok && (answer.refusal.code === 'unavailable' || answer.refusal.code === 'internal');
}

function dispatchMessage({
  runId,
  jobKey,
  attempt,
  pool,
  priority,
  requirements,
  queuedAtMs,
  traceparent,
}: Queued): DispatchMessage {
  return { runId, jobKey, attempt, pool, priority, requirements, queuedAtMs, traceparent };
}
