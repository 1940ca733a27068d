import { isNativeError } from 'node:util/types';

/** The `code` of a system error (`ENOENT` ...), told by its shape: errors cross realms, where `instanceof` fails. */
export const errorCodeOf = (reason: unknown): string | null =>
  typeof reason === 'object' && reason !== null && 'code' in reason && typeof reason.code === 'string'
    ? reason.code
    : null;

/** What went wrong, in the words of whatever was thrown. */
export const errorInWords = (reason: unknown): string => (isNativeError(reason) ? reason.message : String(reason));
