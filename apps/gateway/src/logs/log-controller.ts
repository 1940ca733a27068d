import { Readable } from 'node:stream';
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';
import type { LineSelection, LogStore } from '@delta-ci/artifact-store';
import { ENDPOINTS, type AttemptRef, type AttemptView, type RunView } from '@delta-ci/contracts';
import { showRun } from '@delta-ci/event-log';
import type { Reply, Request } from '../http/exchange.ts';
import { lastEventId } from '../http/last-event-id.ts';
import { foundOr, refusedWith } from '../http/refused.ts';
import { jobIn } from '../runs/job-in.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { byteRange } from './byte-range.ts';
import { cappedLines } from './capped-lines.ts';
import { followLog } from './follow-log.ts';
import { findLines } from './log-lines.ts';

interface OfJob {
  readonly runId: string;
  readonly jobKey: string;
}

interface LogQuery {
  readonly attempt?: number;
  readonly offset?: number;
  readonly lines?: string;
  readonly tail?: number;
  readonly follow?: '0' | '1';
}

/** What is read from the disk at once while a log is sent. */
const READ_BYTES = 256 * 1024;
/** Of one line, when lines are asked for: who reads by line may hold one in memory. */
const LINE_BYTES_MAX = 64 * 1024;

/** Logs of attempts: as they are, in parts, by line, or followed. */
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
    const selection = selectionIn(query);
    if (selection !== null) return this.#sendLines(attempt, selection, reply);
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
    const offset = lastEventId(request) ?? query.offset ?? (await this.#startOfTail(attempt, query));
    const followed = { attempt, offset, position, finished: state === 'finished', outcome };
    await this.#parts.streams.run(reply, 'log', async (stream) => followLog(this.#parts, stream, followed));
  }

  async #startOfTail(attempt: AttemptRef, query: LogQuery): Promise<number> {
    const selection = selectionIn(query);
    if (selection === null) return 0;
    const { located } = await findLines(this.#parts.store.logs, attempt, selection);
    return located?.fromByte ?? 0;
  }

  async #sendLines(attempt: AttemptRef, selection: LineSelection, reply: Reply): Promise<void> {
    const { logs } = this.#parts.store;
    const { located, lines, sizeBytes, isFinal } = await findLines(logs, attempt, selection);
    if (located === null) throw refusedWith('range_not_satisfiable', `the log has ${lines} lines`, { lines });
    const { first, last, fromByte, toByte } = located;
    const bytes = bytesOf(logs, attempt, fromByte, toByte);
    reply
      .header('content-type', 'text/plain; charset=utf-8')
      .header('x-delta-lines', `${last < first ? '*' : `${first}-${last}`}/${lines}`)
      .header('x-delta-log-bytes', String(sizeBytes))
      .header('x-delta-log-final', String(isFinal))
      .send(Readable.from(cappedLines(bytes, LINE_BYTES_MAX), { objectMode: false }));
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
      .send(Readable.from(bytesOf(store.logs, attempt, from, range.to), { objectMode: false }));
  }
}

function attemptIn(run: RunView, jobKey: string, number: number | undefined): AttemptView {
  const job = jobIn(run, jobKey);
  const attempt = number === undefined ? job.attempts.at(-1) : job.attempts.find((each) => each.attempt === number);
  const why = job.state === 'finished' ? `, and there will be none: ${job.reason}` : ' yet';
  return foundOr(attempt, number === undefined ? `attempt of ${jobKey}${why}` : `attempt ${number} of ${jobKey}`);
}

/** The lines that a query asks for; null when it asks for bytes. */
function selectionIn({ lines, tail }: LogQuery): LineSelection | null {
  if (tail !== undefined) return { tail };
  if (lines === undefined) return null;
  const [first = '', last] = lines.split('-');
  if (last === undefined) return { first: Number(first), last: Number(first) };
  return { first: Number(first), last: last === '' ? null : Number(last) };
}

function wantsToFollow({ headers }: Request, { follow }: LogQuery): boolean {
  return follow === '1' || (follow === undefined && (headers.accept ?? '').includes('text/event-stream'));
}

async function* bytesOf(logs: LogStore, attempt: AttemptRef, from: number, to: number): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to;) {
    const bytes = await logs.read(attempt, at, Math.min(READ_BYTES, to - at));
    // A log never shrinks, so nothing here would mean that somebody else cut the file.
    if (bytes.length === 0) throw new Error(`the log ended at ${at} of ${to} bytes`);
    at += bytes.length;
    yield bytes;
  }
}
