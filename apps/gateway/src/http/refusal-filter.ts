import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { StoreError, StoreUnreachable } from '@delta-ci/artifact-store';
import { REFUSALS, refuse, type ErrorBody, type Refusal, type RefusalCode } from '@delta-ci/contracts';
import type { Logger } from '@delta-ci/service';
import type { Reply, Request } from './exchange.ts';
import { Refused } from './refused.ts';
import { methodsFor } from './route.ts';

/** A bus or an orchestrator that is away is back within a second, as a rule. */
const RETRY_AFTER_S = 1;

/** Every error answer of the gateway: `{ error: { code, message, details } }` with the status of its code. */
@Catch()
export class RefusalFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<Reply>();
    if (reply.raw.headersSent) {
      // The answer is under way already: cutting it is the only way left to say that it is not whole.
      reply.raw.destroy();
      return;
    }
    const { refusal, retryAfterS } = this.#refusalFor(error, http.getRequest<Request>());
    const { status } = REFUSALS[refusal.code];
    if (retryAfterS !== null) reply.header('retry-after', String(retryAfterS));
    if (refusal.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
    if (refusal.code === 'method_not_allowed') reply.header('allow', String(refusal.details['allowed']));
    // The rest of a body that was refused half-way is not read: the connection cannot be used again.
    if (refusal.code === 'payload_too_large') reply.header('connection', 'close');
    const body: ErrorBody = { error: refusal };
    reply.code(status).header('content-type', 'application/json; charset=utf-8').send(body);
  }

  #refusalFor(error: unknown, request: Request): { refusal: Refusal; retryAfterS: number | null } {
    if (error instanceof Refused) return { refusal: error.refusal, retryAfterS: error.retryAfterS ?? waitFor(error) };
    if (error instanceof StoreError) {
      return { refusal: refuse(error.code, error.message, error.details), retryAfterS: null };
    }
    if (error instanceof StoreUnreachable) {
      this.#logger.warn({ event: 'store-unreachable', err: error }, 'the artifact store cannot be asked');
      return { refusal: refuse('unavailable', 'the artifact store cannot be reached'), retryAfterS: RETRY_AFTER_S };
    }
    if (error instanceof HttpException) return { refusal: refusalOfFramework(error, request), retryAfterS: null };
    this.#logger.error({ event: 'request-failed', err: error }, 'a request failed for a reason of our own');
    return { refusal: refuse('internal', REFUSALS.internal.meaning), retryAfterS: null };
  }
}

/** Whoever refused may know how long it takes, such as a writer that has too much waiting already. */
function waitFor({ refusal }: Refused): number | null {
  if (REFUSALS[refusal.code].status !== 503) return null;
  const retryAfterMs = refusal.details['retryAfterMs'];
  return typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1_000)) : RETRY_AFTER_S;
}

const CODE_OF_STATUS: Readonly<Record<number, RefusalCode>> = {
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  404: 'not_found',
};

/** What the framework refuses by itself: no such route, a body too large or of another type, a malformed request. */
function refusalOfFramework(error: HttpException, { method, url }: Request): Refusal {
  const code = CODE_OF_STATUS[error.getStatus()] ?? 'invalid_request';
  if (code !== 'not_found') return refuse(code, REFUSALS[code].meaning);
  const allowed = methodsFor(url);
  if (allowed.length === 0) return refuse('not_found', 'there is no such route');
  return refuse('method_not_allowed', `this resource does not take ${method}`, { allowed: allowed.join(', ') });
}
