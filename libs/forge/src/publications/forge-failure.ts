/** Why a forge did not do what it was asked, and what may be expected of asking again. */
export type ForgeFailure =
  /** Too many calls: ask again after this long. */
  | { kind: 'rate_limited'; retryAfterMs: number; message: string }
  /** The token is wrong, has expired or may not do this: a person has to act. */
  | { kind: 'unauthorised'; message: string }
  /** No such repository, commit or check, or not one that the token can see. */
  | { kind: 'not_found'; message: string }
  /** The forge is away or in trouble: ask again later. */
  | { kind: 'unavailable'; message: string }
  /** The forge does not take this; asking again in the same words is of no use. */
  | { kind: 'refused'; message: string };

export type ForgeAnswer<T> = { ok: true; value: T } | { ok: false; failure: ForgeFailure };
