import { Body, Controller, Inject, Param } from '@nestjs/common';
import { ENDPOINTS, type CommandData, type RepositoryPolicyView } from '@delta-ci/contracts';
import { findRepository } from '@delta-ci/event-log';
import { findServedRepository } from '@delta-ci/forge';
import { CallingPerson } from '../access/caller-parameter.ts';
import { actorOf, type AccessCaller } from '../access/caller.ts';
import { envelopeFor, idFromKey } from '../command-ids.ts';
import { IdempotencyKey } from '../http/idempotency-key.ts';
import { acceptedOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

interface OfRepository {
  readonly repository: string;
}

/** How runs of a repository are governed. */
@Controller()
export class PolicyController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('showPolicy')
  async show(
    @Param({ schema: ENDPOINTS.showPolicy.params }) { repository }: OfRepository,
  ): Promise<RepositoryPolicyView> {
    const known = await findRepository(this.#parts.log, repository);
    if (known === null) this.#mustBeServed(repository);
    return { repository, policy: known?.policy ?? {} };
  }

  @Route('setPolicy')
  async set(
    @CallingPerson() caller: AccessCaller,
    @Param({ schema: ENDPOINTS.setPolicy.params }) { repository }: OfRepository,
    @IdempotencyKey() key: string | undefined,
    @Body({ schema: ENDPOINTS.setPolicy.body.content }) policy: CommandData<'set-policy'>['policy'],
  ): Promise<RepositoryPolicyView> {
    this.#mustBeServed(repository);
    const actor = actorOf(caller);
    const envelope = envelopeFor(idFromKey('set-policy', actor, key), actor);
    acceptedOr(await this.#parts.commands.send('set-policy', { repository, policy }, envelope));
    return { repository, policy };
  }

  #mustBeServed(repository: string): void {
    if (findServedRepository(this.#parts.forges, repository) !== null) return;
    throw refusedWith('unknown_repository', `${repository} is not served here: add it to the forge settings`);
  }
}
