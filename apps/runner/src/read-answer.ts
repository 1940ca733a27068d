import type { z } from 'zod';

/**
 * Reads an answer of a gateway that may be newer than this runner: fields it does not know are left out wherever they stand.
 * What such a gateway has to have understood, it says under a path of its own.
 * @throws ZodError when what is known has not the documented shape
 */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const unknown = read.error.issues.filter((issue) => issue.code === 'unrecognized_keys');
  if (unknown.length === 0) throw read.error;
  const known = structuredClone(answer);
  for (const { path, keys } of unknown) removeKeys(known, path, keys);
  // Of a part that was left out nothing is looked at again: each round removes something, and answers are bounded.
  return readAnswer(schema, known);
}

function removeKeys(answer: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let at: unknown = answer;
  for (const part of path) at = (at as Record<PropertyKey, unknown>)[part];
  for (const key of keys) delete (at as Record<string, unknown>)[key];
}
