import type { RefusalCode } from '@delta-ci/contracts';

/** Why the store did not do as asked; the code is one of the system's refusals. */
export class StoreError extends Error {
  readonly code: Extract<
    RefusalCode,
    'digest_mismatch' | 'not_found' | 'offset_mismatch' | 'payload_too_large' | 'stale_lease'
  >;
  readonly details: Record<string, unknown>;

  constructor(code: StoreError['code'], message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = 'StoreError';
    this.code = code;
    this.details = details;
  }
}

/** The store could not be asked, or not in time: nothing is said about what it holds, and trying again may help. */
export class StoreUnreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreUnreachable';
  }
}
