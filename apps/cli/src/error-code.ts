/** The code of an error of the runtime, or of what caused it: `ENOENT`, `ECONNREFUSED`. Null when it has none. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  if ('cause' in error) return errorCode(error.cause) ?? ownCode(error);
  return ownCode(error);
}

const ownCode = (error: object): string | null =>
  'code' in error && typeof error.code === 'string' ? error.code : null;

export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
