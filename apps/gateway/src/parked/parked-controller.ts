import { Body, Controller, Inject, Param, Query } from '@nestjs/common';
import { listParked, type ParkedMessage } from '@delta-ci/bus';
import {
  ENDPOINTS,
  PARKED_TEXT_MAX,
  type ParkedAction,
  type ParkedPageView,
  type ParkedSettled,
  type ParkedView,
  type SettleParkedRequest,
} from '@delta-ci/contracts';
import { CallingPerson } from '../access/caller-parameter.ts';
import { actorOf, type AccessCaller } from '../access/caller.ts';
import { envelopeFor, idFromKey } from '../command-ids.ts';
import { IdempotencyKey } from '../http/idempotency-key.ts';
import { acceptedOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

const E = ENDPOINTS;

interface OfMessage {
  readonly sequence: number;
}

/** Messages that nobody could handle, and what an operator does about them. */
@Controller()
export class ParkedController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listParked')
  async list(
    @Query({ schema: E.listParked.query }) { from, limit }: { from: number; limit: number },
  ): Promise<ParkedPageView> {
    const page = await listParked(this.#parts.bus, from, limit);
    if (!page.ok) throw refusedWith('unavailable', `parked messages cannot be read now: the stream is ${page.reason}`);
    return { messages: page.messages.map(viewOf), nextSequence: page.nextSequence };
  }

  @Route('retryParked')
  async retry(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: E.retryParked.params }) { sequence }: OfMessage,
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: E.retryParked.body.content }) { reason }: SettleParkedRequest,
  ): Promise<ParkedSettled> {
    return this.#settle(caller, key, { sequence, action: 'retry', reason });
  }

  @Route('dropParked')
  async drop(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: E.dropParked.params }) { sequence }: OfMessage,
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: E.dropParked.body.content }) { reason }: SettleParkedRequest,
  ): Promise<ParkedSettled> {
    return this.#settle(caller, key, { sequence, action: 'drop', reason });
  }

  async #settle(
    caller: AccessCaller,
    key: string | undefined,
    wanted: { sequence: number; action: ParkedAction; reason: string },
  ): Promise<ParkedSettled> {
    const actor = actorOf(caller);
    const envelope = envelopeFor(idFromKey('settle-parked', actor, key), actor);
    return acceptedOr(await this.#parts.commands.send('settle-parked', wanted, envelope));
  }
}

function viewOf(message: ParkedMessage): ParkedView {
  const { sequence, parkedAt, reason, stream, consumer, subject, deliveries, body } = message;
  const text = Buffer.from(body).toString('utf8').slice(0, PARKED_TEXT_MAX);
  return { sequence, parkedAt, reason, stream, consumer, subject, deliveries, sizeBytes: body.byteLength, text };
}
