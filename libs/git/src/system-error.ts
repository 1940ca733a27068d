/** Whether something thrown is a system error of this code, such as `ENOENT`. Judged by shape: it may come from another realm. */
export function hasErrorCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.some((code) => code === error.code);
}
