import { Body, Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { announceLogGrew } from '@delta-ci/bus';
import {
  ENDPOINTS,
  LOG_CHUNK_BYTES_MAX,
  type AcknowledgeLeaseAnswer,
  type CommandResult,
  type CompletionReport,
  type HeartbeatRequest,
  type InfrastructureError,
  type LeaseHash,
  type LeaseOffer,
  type LogAppendAnswer,
} from '@delta-ci/contracts';
import { findLease } from '@delta-ci/event-log';
import { randomUUID } from 'node:crypto';
import { CallingRunner } from '../access/caller-parameter.ts';
import type { RunnerCaller } from '../access/caller.ts';
import { goneSignal, type Reply, type Request } from '../http/exchange.ts';
import { readBytes } from '../http/read-bytes.ts';
import { acceptedOr, Refused } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { handOutSecrets, neverBegan } from '../secrets/hand-out-secrets.ts';
import { leasedJob, offerFor } from './lease-offer.ts';
import { speak, standingLease, type OfLease } from './lease-speech.ts';
import { waitForLease, type HeldLease } from './wait-for-lease.ts';

const E = ENDPOINTS;

/** What a runner does with its lease. The lease id stays here: everybody else knows its hash. */
@Controller()
export class LeaseController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('requestLease')
  async request(
    @CallingRunner() runner: RunnerCaller,
    @Body({ schema: E.requestLease.body.content }) { waitSeconds }: { waitSeconds: number },
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<LeaseOffer | undefined> {
    const gone = goneSignal(reply);
    const over = AbortSignal.any([gone, this.#parts.stopping]);
    const waited = await waitForLease(this.#parts.commands, runner, waitSeconds * 1_000, over);
    if (!waited.ok) throw new Refused(waited.refusal);
    if (waited.held === null) {
      reply.code(204);
      return undefined;
    }
    const offer = gone.aborted ? null : await this.#offer(waited.held, runner);
    if (gone.aborted) this.#noteUnheard(waited.held, 'a runner went away while it was granted a lease');
    if (offer === null) reply.code(204);
    return offer ?? undefined;
  }

  @Route('acknowledgeLease')
  async acknowledge(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.acknowledgeLease.params }) params: OfLease,
    @Body({ schema: E.acknowledgeLease.body.content }) _body: object,
  ): Promise<AcknowledgeLeaseAnswer> {
    const { lease, envelope } = speak('acknowledge-lease', params, runner);
    return acceptedOr(await this.#parts.commands.send('acknowledge-lease', lease, envelope));
  }

  @Route('heartbeat')
  async heartbeat(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.heartbeat.params }) params: OfLease,
    @Body({ schema: E.heartbeat.body.content }) body: HeartbeatRequest,
  ): Promise<CommandResult<'heartbeat'>> {
    // Every heartbeat is one of its own: repeating an old one must not renew anything by its old answer.
    const { lease, envelope } = speak('heartbeat', params, runner, randomUUID());
    return acceptedOr(await this.#parts.commands.send('heartbeat', { ...lease, ...body }, envelope));
  }

  @Route('appendLog')
  async appendLog(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.appendLog.params }) params: OfLease,
    @Query({ schema: E.appendLog.query }) { offset }: { offset: number },
    @Req() { body }: Request,
  ): Promise<LogAppendAnswer> {
    const lease = await standingLease(this.#parts, params, runner);
    const chunk = await readBytes(body, LOG_CHUNK_BYTES_MAX);
    const answer = await this.#parts.store.logs.append(lease, offset, chunk);
    announceLogGrew(this.#parts.bus, lease.runId, lease.jobKey);
    return answer;
  }

  @Route('completeAttempt')
  async complete(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.completeAttempt.params }) params: OfLease,
    @Body({ schema: E.completeAttempt.body.content }) report: CompletionReport,
  ): Promise<CommandResult<'complete-attempt'>> {
    const { lease, envelope } = speak('complete-attempt', params, runner);
    const answer = acceptedOr(await this.#parts.commands.send('complete-attempt', { ...lease, report }, envelope));
    this.#closeLog(lease.leaseHash);
    return answer;
  }

  @Route('acknowledgeCancel')
  async acknowledgeCancel(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.acknowledgeCancel.params }) params: OfLease,
    @Body({ schema: E.acknowledgeCancel.body.content }) report: CompletionReport,
  ): Promise<CommandResult<'acknowledge-cancel'>> {
    const { lease, envelope } = speak('acknowledge-cancel', params, runner);
    const answer = acceptedOr(await this.#parts.commands.send('acknowledge-cancel', { ...lease, report }, envelope));
    this.#closeLog(lease.leaseHash);
    return answer;
  }

  /**
   * Null when the job cannot have what it names: then the attempt is over, and this runner is free. Or when that could not be
   * found out: then the acceptance time ends the lease, and the job is dispatched again.
   */
  async #offer(held: HeldLease, runner: RunnerCaller): Promise<LeaseOffer | null> {
    const { leaseId, lease } = held;
    const leased = leasedJob(lease, await this.#parts.plans.take(lease.planDigest));
    const { lease: holder, envelope } = speak('hand-out-secrets', { leaseId }, runner);
    const handedOut = await handOutSecrets(this.#parts, leased, holder, envelope);
    if (handedOut.ok) return offerFor(leaseId, leased, handedOut.values, this.#parts.forges);
    if (handedOut.error !== null) await this.#endBeforeItBegins(held, runner, handedOut.error);
    else this.#noteUnheard(held, 'the log could not be told that a lease hands out secrets');
    return null;
  }

  /** The attempt is over, and its runner says nothing more under this lease. */
  #closeLog(leaseHash: LeaseHash): void {
    this.#parts.logCloser.closeSoon(async () => {
      const lease = await findLease(this.#parts.log, leaseHash);
      return lease?.attemptState === 'finished' ? lease : null;
    });
  }

  /** In the place of the runner, which never hears of it. If it cannot be said, the acceptance time ends the lease. */
  async #endBeforeItBegins(
    { leaseId, lease }: HeldLease,
    runner: RunnerCaller,
    error: InfrastructureError,
  ): Promise<void> {
    const { commands, logger } = this.#parts;
    const { runId, jobKey, attempt } = lease;
    const line = { event: 'secrets-refused', run: runId, job: jobKey, attempt, why: error.message };
    logger.warn(line, 'a job cannot have its secrets');
    const { lease: holder, envelope } = speak('end-unbegun-attempt', { leaseId }, runner);
    const report = neverBegan(error, Date.now());
    const answer = await commands.send('end-unbegun-attempt', { ...holder, report }, envelope);
    if (!answer.ok)
      logger.warn({ event: 'secrets-refusal-untold', run: runId, job: jobKey, attempt, ...answer.refusal });
  }

  /** Nobody acknowledges this lease, so the acceptance time ends it and the job is dispatched again. */
  #noteUnheard({ lease: { runId, jobKey, attempt } }: HeldLease, why: string): void {
    const line = { event: 'lease-unheard', run: runId, job: jobKey, attempt };
    this.#parts.logger.warn(line, why);
  }
}
