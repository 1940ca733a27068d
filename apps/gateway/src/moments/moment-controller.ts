import { Controller, Inject, Param, Query } from '@nestjs/common';
import {
  ENDPOINTS,
  type JobAtMoment,
  type JobKey,
  type Moment,
  type MomentView,
  type RunId,
} from '@delta-ci/contracts';
import { showJobAtMoment, showMoment } from '@delta-ci/event-log';
import { foundOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

interface OfMoment {
  readonly moment: Moment;
}

/** The system as it stood at a moment of the past. */
@Controller()
export class MomentController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('showMoment')
  async show(
    @Param({ schema: ENDPOINTS.showMoment.params }) { moment }: OfMoment,
    @Query({ schema: ENDPOINTS.showMoment.query }) page: { limit: number; cursor?: string },
  ): Promise<MomentView> {
    const view = await showMoment(this.#parts.log, { moment, ...page });
    if (view === 'invalid-cursor') throw refusedWith('invalid_request', 'cursor of the query: not one of this list');
    return foundOr(view, `moment ${moment} in this log`);
  }

  @Route('showJobAtMoment')
  async job(
    @Param({ schema: ENDPOINTS.showJobAtMoment.params }) asked: OfMoment & { runId: RunId; jobKey: JobKey },
  ): Promise<JobAtMoment> {
    const { moment, runId, jobKey } = asked;
    return foundOr(await showJobAtMoment(this.#parts.log, asked), `job ${jobKey} of ${runId} at ${moment}`);
  }
}
