import { Body, Controller, Inject, Param } from '@nestjs/common';
import {
  debugInputSubject,
  ENDPOINTS,
  type DebugInput,
  type DebugRequest,
  type DebugTerms,
  type RunAnswer,
  type RunId,
} from '@delta-ci/contracts';
import { showRun } from '@delta-ci/event-log';
import { CallingPerson } from '../access/caller-parameter.ts';
import { actorOf, type AccessCaller } from '../access/caller.ts';
import { envelopeFor, idFromKey, runIdFrom } from '../command-ids.ts';
import { IdempotencyKey } from '../http/idempotency-key.ts';
import { acceptedOr, foundOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

const E = ENDPOINTS;

/** Runs whose terms are kept at hand: each of them has somebody who types. */
const RUNS_KEPT_MAX = 100;
/** The gateway at which the runner listens has passed a key on by then, or its runner reads nothing. */
const TAKEN_WITHIN_MS = 10_000;

/** Of the answer of whoever holds the runner's stream: whether the runner has it. */
export const TAKEN_HEADER = 'delta-taken';

/** Operators look into attempts: they ask, and type. What they are shown is the log of the attempt. */
@Controller()
export class DebugController {
  readonly #parts: GatewayParts;
  readonly #terms = new Map<RunId, DebugTerms>();

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('debug')
  async ask(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: E.debug.params }) { runId, jobKey }: { runId: RunId; jobKey: string },
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: E.debug.body.content }) { attempt, reason, minutes }: DebugRequest,
  ): Promise<RunAnswer> {
    const actor = actorOf(caller);
    const id = idFromKey('debug', actor, key);
    const data = { runId, newRunId: runIdFrom(id), jobKey, attempt: attempt ?? null, reason, minutes };
    return acceptedOr(await this.#parts.commands.send('debug', data, envelopeFor(id, actor)));
  }

  /** To whichever gateway the runner listens at. Whoever had no answer sends the same again: a repeat is dropped there. */
  @Route('typeIntoDebug')
  async type(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: E.typeIntoDebug.params }) { runId }: { runId: RunId },
    @Body({ schema: E.typeIntoDebug.body.content }) input: DebugInput,
  ): Promise<object> {
    const { by } = await this.#termsOf(runId);
    if (by !== caller.name) throw refusedWith('forbidden', 'somebody else asked for this shell');
    const body = new TextEncoder().encode(JSON.stringify(input));
    const message = { subject: debugInputSubject(runId), headers: {}, body };
    const asked = await this.#parts.bus.request(message, TAKEN_WITHIN_MS);
    if (asked.outcome === 'answered' && asked.message.headers[TAKEN_HEADER] === 'yes') return {};
    throw refusedWith('unavailable', 'no runner takes what is typed now: it has not come so far, or the shell is over');
  }

  async #termsOf(runId: RunId): Promise<DebugTerms> {
    const known = this.#terms.get(runId);
    if (known !== undefined) return known;
    const run = await showRun(this.#parts.log, runId);
    const terms = foundOr(run?.rerun?.debug ?? null, `shell of a run ${runId}`);
    this.#terms.set(runId, terms);
    const oldest = this.#terms.keys().next();
    if (this.#terms.size > RUNS_KEPT_MAX && !oldest.done) this.#terms.delete(oldest.value);
    return terms;
  }
}
