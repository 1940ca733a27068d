import { Controller, Inject, Param, Query } from '@nestjs/common';
import { ENDPOINTS, type PoolView } from '@delta-ci/contracts';
import { listPoolDecisions, listPools, type PoolDecision } from '@delta-ci/event-log';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

/** Pools of runners and what was decided about them. */
@Controller()
export class PoolController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listPools')
  async list(): Promise<{ pools: PoolView[] }> {
    return { pools: await listPools(this.#parts.log) };
  }

  @Route('listPoolDecisions')
  async decisions(
    @Param({ schema: ENDPOINTS.listPoolDecisions.params }) { pool }: { pool: string },
    @Query({ schema: ENDPOINTS.listPoolDecisions.query }) { limit }: { limit: number },
  ): Promise<{ decisions: PoolDecision[] }> {
    return { decisions: await listPoolDecisions(this.#parts.log, pool, limit) };
  }
}
