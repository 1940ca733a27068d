import { Controller, Inject, Param, Req } from '@nestjs/common';
import { digestOf } from '@delta-ci/artifact-store';
import { ENDPOINTS, type Actor, type CommandData, type DeliveryAnswer } from '@delta-ci/contracts';
import { showRun } from '@delta-ci/event-log';
import type { ForgeSettings, WebhookRequest } from '@delta-ci/forge';
import { envelopeFor, runIdFrom } from '../command-ids.ts';
import type { Request } from '../http/exchange.ts';
import { acceptedOr, Refused } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { readDelivery, type ReadDelivery } from './read-delivery.ts';

/** Deliveries of forges. Each is answered only after the log holds what it led to. */
@Controller()
export class WebhookController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('deliverGitHub')
  async deliver(@Req() request: Request): Promise<DeliveryAnswer> {
    return this.#take(this.#parts.forges, request);
  }

  @Route('deliverGitHubTo')
  async deliverTo(
    @Param({ schema: ENDPOINTS.deliverGitHubTo.params }) { forge: name }: { forge: string },
    @Req() request: Request,
  ): Promise<DeliveryAnswer> {
    // Nobody can sign for a forge that is not there, so a wrong name is refused like a wrong signature.
    const named = this.#parts.forges.filter((forge) => forge.name === name);
    return this.#take(named, request);
  }

  async #take(forges: readonly ForgeSettings[], { headers, body }: Request): Promise<DeliveryAnswer> {
    try {
      const bytes = body instanceof Uint8Array ? body : new Uint8Array();
      const reading = readDelivery(forges, headers, bytes);
      if (!reading.ok) throw new Refused(reading.refusal);
      const answer = await this.#answer(reading.delivery, bytes);
      this.#parts.metrics.deliveries.add(1, { result: answer.runId === null ? 'ignored' : 'accepted' });
      return answer;
    } catch (error) {
      this.#parts.metrics.deliveries.add(1, { result: error instanceof Refused ? 'refused' : 'failed' });
      throw error;
    }
  }

  async #answer(delivery: ReadDelivery, body: Uint8Array): Promise<DeliveryAnswer> {
    const { request } = delivery;
    switch (request.kind) {
      case 'run':
        return this.#accept(delivery, body, forgeUser(request.actor), request);
      case 'ignore':
        return this.#accept(delivery, body, { kind: 'service', name: delivery.forge.name }, request);
      case 'rerun':
        return this.#rerun(delivery, body, request);
    }
  }

  async #accept(
    delivery: ReadDelivery,
    body: Uint8Array,
    actor: Actor,
    wanted: Extract<WebhookRequest, { kind: 'run' | 'ignore' }>,
  ): Promise<DeliveryAnswer> {
    const { forge, deliveryId, event } = delivery;
    const request: CommandData<'accept-delivery'>['request'] =
      wanted.kind === 'ignore'
        ? { kind: 'ignore', reason: wanted.reason }
        : { kind: 'run', repository: wanted.repository, change: wanted.change };
    const data = { forge: forge.name, deliveryId, event, payloadDigest: digestOf(body), request };
    const envelope = envelopeFor(commandIdOf(delivery), actor);
    return acceptedOr(await this.#parts.commands.send('accept-delivery', data, envelope));
  }

  /** A check's button. The check names its run; only runs of the repository that sent the delivery count. */
  async #rerun(
    delivery: ReadDelivery,
    body: Uint8Array,
    wanted: Extract<WebhookRequest, { kind: 'rerun' }>,
  ): Promise<DeliveryAnswer> {
    const { runId, only, repository, actor } = wanted;
    const run = await showRun(this.#parts.log, runId);
    if (run?.repository.id !== repository.id) {
      const reason = 'the check names no run of this repository';
      return this.#accept(delivery, body, forgeUser(actor), { kind: 'ignore', reason });
    }
    const id = commandIdOf(delivery);
    const data = { runId, newRunId: runIdFrom(id), only };
    const answer = acceptedOr(await this.#parts.commands.send('rerun', data, envelopeFor(id, forgeUser(actor))));
    return { runId: answer.runId, ignored: null };
  }
}

const commandIdOf = ({ forge, deliveryId }: ReadDelivery): string => `delivery-${forge.name}:${deliveryId}`;

const forgeUser = (name: string): Actor => ({ kind: 'forge-user', name });
