/**
 * Thrown when something the rest of the system guarantees does not hold: a log that does not fold, a state that
 * cannot be. Never a reaction to input: what strangers send is refused by name.
 */
export class BrokenInvariant extends Error {
  override readonly name = 'BrokenInvariant';
}

/** Ends a switch over a closed union: a forgotten case does not type-check. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`no case for ${JSON.stringify(value)}`);
}

/** The value itself, when the invariant that it is there holds. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new BrokenInvariant(`missing: ${what}`);
  return value;
}
