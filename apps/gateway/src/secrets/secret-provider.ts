/** What became of the search for one value. `why` never holds the value, nor what a server answered. */
export type Found = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly why: string };

/** Where secrets come from: one kind of store, as the settings name it. */
export interface SecretProvider {
  /**
   * The value at a place, which is written as the kind of store wants it. Asked anew each time, so that a value that was
   * changed is the changed one. Never rejects: what cannot be had is said.
   * @param signal ends the search; nobody waits for it any more
   */
  find(place: string, signal: AbortSignal): Promise<Found>;
  /** Why nothing can be at such a place; null when something may. For the check of the settings at the start. */
  whyNoPlace(place: string): string | null;
}

export function notFound(why: string): Found {
  return { ok: false, why };
}
