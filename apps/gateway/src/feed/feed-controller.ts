import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ENDPOINTS } from '@delta-ci/contracts';
import { showRun } from '@delta-ci/event-log';
import { lastEventId } from '../http/last-event-id.ts';
import type { Reply, Request } from '../http/exchange.ts';
import { foundOr } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { followEvents } from './follow-events.ts';

interface FeedQuery {
  readonly from?: number;
}

/** The log as server-sent events: the id of each is its position, so a client that comes back misses nothing. */
@Controller()
export class FeedController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('followRun')
  async followRun(
    @Param({ schema: ENDPOINTS.followRun.params }) { runId }: { runId: string },
    @Query({ schema: ENDPOINTS.followRun.query }) query: FeedQuery,
    @Req() request: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    const afterPosition = lastEventId(request) ?? query.from ?? 0;
    foundOr(await showRun(this.#parts.log, runId), `run ${runId}`);
    await this.#parts.streams.run(reply, 'events', async (stream) =>
      followEvents(this.#parts, stream, { afterPosition, run: runId }),
    );
  }

  @Route('followEvents')
  async followEvents(
    @Query({ schema: ENDPOINTS.followEvents.query }) query: FeedQuery,
    @Req() request: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    const given = lastEventId(request) ?? query.from;
    const afterPosition = given ?? (await this.#parts.reader.head()).position;
    await this.#parts.streams.run(reply, 'events', async (stream) =>
      followEvents(this.#parts, stream, { afterPosition }),
    );
  }
}
