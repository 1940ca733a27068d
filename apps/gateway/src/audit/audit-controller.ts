import { Controller, Inject, Query } from '@nestjs/common';
import {
  ENDPOINTS,
  type AuditCheckpointsPage,
  type AuditCheckpointsQuery,
  type AuditEventsPage,
  type AuditEventsQuery,
  type AuditVerification,
  type AuditVerifyQuery,
} from '@delta-ci/contracts';
import { databaseAuditSource, readStoredRecords, verifyLog, type AuditSource } from '@delta-ci/event-log';
import { refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { checkpointsOf, listCheckpoints } from './list-checkpoints.ts';
import { withinBytes } from './within-bytes.ts';

/** The log as it is stored, for those who verify it. What they make of it is theirs: they need not believe this gateway. */
@Controller()
export class AuditController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listAuditEvents')
  async events(@Query({ schema: ENDPOINTS.listAuditEvents.query }) query: AuditEventsQuery): Promise<AuditEventsPage> {
    const { log, reader } = this.#parts;
    // The head first: whatever is read after it is at least what it says.
    const head = await reader.head();
    return { head, records: withinBytes(await readStoredRecords(log, query)) };
  }

  @Route('listAuditCheckpoints')
  async checkpoints(
    @Query({ schema: ENDPOINTS.listAuditCheckpoints.query }) { after, limit }: AuditCheckpointsQuery,
  ): Promise<AuditCheckpointsPage> {
    return { checkpoints: await listCheckpoints(this.#parts, after, limit) };
  }

  @Route('verifyAudit')
  async verify(
    @Query({ schema: ENDPOINTS.verifyAudit.query }) { from, limit }: AuditVerifyQuery,
  ): Promise<AuditVerification> {
    const { log, reader, checkpointKeys: keys } = this.#parts;
    const start = from === 0 ? {} : { start: await this.#checkpointAt(from) };
    const { position } = await reader.head();
    const to = from + limit < position ? { to: from + limit } : {};
    const source: AuditSource = {
      ...databaseAuditSource(log),
      checkpoints: (after) => checkpointsOf(this.#parts, after),
    };
    return verifyLog(source, { keys, ...start, ...to });
  }

  async #checkpointAt(position: number): Promise<{ position: number; hash: string }> {
    const listed = await listCheckpoints(this.#parts, position - 1, 1);
    const found = listed.find(
      (checkpoint) => checkpoint.position === position && this.#parts.checkpointKeys.judge(checkpoint) === 'valid',
    );
    if (found !== undefined) return { position, hash: found.hash };
    throw refusedWith('not_found', `there is no checkpoint at ${position} that a trusted key signed`);
  }
}
