import { refuse, type Refusal, type RefusalCode } from '@delta-ci/contracts';

/** Ends the request with a refusal: thrown in the thin shell only, and turned into the answer by the one filter. */
export class Refused extends Error {
  readonly refusal: Refusal;
  /** For `429` and `503`: whole seconds after which to try again. */
  readonly retryAfterS: number | null;

  constructor(refusal: Refusal, retryAfterS: number | null = null) {
    super(refusal.message);
    this.name = 'Refused';
    this.refusal = refusal;
    this.retryAfterS = retryAfterS;
  }
}

export function refusedWith(code: RefusalCode, message: string, details: Record<string, unknown> = {}): Refused {
  return new Refused(refuse(code, message, details));
}

/** The result of an accepted command; throws its refusal otherwise. */
export function acceptedOr<T>(
  answer: { readonly ok: true; readonly result: T } | { readonly ok: false; readonly refusal: Refusal },
): T {
  if (answer.ok) return answer.result;
  throw new Refused(answer.refusal);
}

/** What was found; `not_found` otherwise. */
export function foundOr<T>(found: T | null | undefined, what: string): T {
  if (found === null || found === undefined) throw refusedWith('not_found', `there is no ${what}`);
  return found;
}
