import { digestOf } from '@delta-ci/artifact-store';
import {
  ENDPOINTS,
  canonicalJson,
  type CacheListQuery,
  type CachePage,
  type RemoveCachesAnswer,
  type RemoveCachesRequest,
} from '@delta-ci/contracts';
import { listCaches, whatIsKeptUnder } from '@delta-ci/event-log';
import { Body, Controller, Inject, Query } from '@nestjs/common';
import { CallingPerson } from '../access/caller-parameter.ts';
import { actorOf, type AccessCaller } from '../access/caller.ts';
import { envelopeFor, idFromKey } from '../command-ids.ts';
import { acceptedOr, refusedWith } from '../http/refused.ts';
import { IdempotencyKey } from '../http/idempotency-key.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { LOOKED_FOR, removalOf } from './removal-portions.ts';

/** What is kept for jobs, and an end to it. */
@Controller()
export class CacheController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listCaches')
  async list(@Query({ schema: ENDPOINTS.listCaches.query }) query: CacheListQuery): Promise<CachePage> {
    const page = await listCaches(this.#parts.log, query);
    if (page === null) throw refusedWith('invalid_request', 'cursor of the query: not one of this list');
    return page;
  }

  @Route('removeCaches')
  async remove(
    @CallingPerson() person: AccessCaller,
    @IdempotencyKey() idempotencyKey: string | undefined,
    @Body({ schema: ENDPOINTS.removeCaches.body.content }) { reason, ...wanted }: RemoveCachesRequest,
  ): Promise<RemoveCachesAnswer> {
    const found = await whatIsKeptUnder(this.#parts.log, wanted, LOOKED_FOR);
    if (found.length === 0) throw refusedWith('not_found', `${wanted.repository} keeps nothing under this key`);
    const { portions, more } = removalOf(found);
    const actor = actorOf(person);
    for (const some of portions) {
      // A request that is sent again removes what is left, which is another command than the first was.
      const key = idempotencyKey === undefined ? undefined : `${idempotencyKey}\n${digestOf(canonicalJson(some))}`;
      const envelope = envelopeFor(idFromKey('remove-caches', actor, key), actor);
      const removal = { because: 'operator' as const, reason, caches: some };
      acceptedOr(await this.#parts.commands.send('remove-caches', removal, envelope));
    }
    return { removed: portions.flat(), more };
  }
}
