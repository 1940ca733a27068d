import { Readable } from 'node:stream';
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { ArtifactStore } from '@delta-ci/artifact-store';
import { ENDPOINTS, type AttemptRef, type AttemptView, type RunView } from '@delta-ci/contracts';
import { showRun } from '@delta-ci/event-log';
import type { Reply, Request } from '../http/exchange.ts';
import { lastEventId } from '../http/last-event-id.ts';
import { foundOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { byteRange } from './byte-range.ts';
import { followLog } from './follow-log.ts';

interface OfJob {
  readonly runId: string;
  readonly jobKey: string;
}

interface LogQuery {
  readonly attempt?: number;
  readonly offset?: number;
  readonly follow?: '0' | '1';
}

/** What is read from the disk at once while a log is sent. */
const READ_BYTES = 256 * 1024;

/** Logs of attempts: as they are, in parts, or followed. */
@Controller()
export class LogController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('showLog')
  async show(
    @Param({ schema: ENDPOINTS.showLog.params }) { runId, jobKey }: OfJob,
    @Query({ schema: ENDPOINTS.showLog.query }) query: LogQuery,
    @Req() request: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    const run = foundOr(await showRun(this.#parts.log, runId), `run ${runId}`);
    const view = attemptIn(run, jobKey, query.attempt);
    const attempt = { runId, jobKey, attempt: view.attempt };
    reply.header('x-delta-attempt', String(view.attempt));
    if (wantsToFollow(request, query)) return this.#follow(run, view, attempt, request, query, reply);
    await this.#send(attempt, request, query, reply);
  }

  async #follow(
    { position }: RunView,
    { state, outcome }: AttemptView,
    attempt: AttemptRef,
    request: Request,
    query: LogQuery,
    reply: Reply,
  ): Promise<void> {
    const offset = lastEventId(request) ?? query.offset ?? 0;
    const followed = { attempt, offset, position, finished: state === 'finished', outcome };
    await this.#parts.streams.run(reply, 'log', async (stream) => followLog(this.#parts, stream, followed));
  }

  async #send(attempt: AttemptRef, { headers }: Request, { offset = 0 }: LogQuery, reply: Reply): Promise<void> {
    const { store } = this.#parts;
    const size = await store.logs.size(attempt);
    const range = byteRange(headers.range, size);
    if (range === null) throw refusedWith('range_not_satisfiable', `the log has ${size} bytes`, { size });
    const from = range.partial ? range.from : Math.min(offset, size);
    if (range.partial) reply.code(206).header('content-range', `bytes ${from}-${range.to - 1}/${size}`);
    reply
      .header('content-type', 'text/plain; charset=utf-8')
      .header('accept-ranges', 'bytes')
      .header('content-length', String(range.to - from))
      .send(Readable.from(bytesOf(store, attempt, from, range.to), { objectMode: false }));
  }
}

function attemptIn(run: RunView, jobKey: string, number: number | undefined): AttemptView {
  const job = foundOr(
    run.jobs.find(({ key }) => key === jobKey),
    `job ${jobKey} in ${run.runId}`,
  );
  const attempt = number === undefined ? job.attempts.at(-1) : job.attempts.find((each) => each.attempt === number);
  return foundOr(attempt, number === undefined ? `attempt of ${jobKey} yet` : `attempt ${number} of ${jobKey}`);
}

function wantsToFollow({ headers }: Request, { follow }: LogQuery): boolean {
  return follow === '1' || (follow === undefined && (headers.accept ?? '').includes('text/event-stream'));
}

async function* bytesOf(
  store: ArtifactStore,
  attempt: AttemptRef,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to;) {
    const bytes = await store.logs.read(attempt, at, Math.min(READ_BYTES, to - at));
    // A log never shrinks, so nothing here would mean that somebody else cut the file.
    if (bytes.length === 0) throw new Error(`the log ended at ${at} of ${to} bytes`);
    at += bytes.length;
    yield bytes;
  }
}
