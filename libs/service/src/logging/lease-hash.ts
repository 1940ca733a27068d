import { createHash } from 'node:crypto';

/** SHA-256 of a lease id's text, in hexadecimal: the only form in which a lease may be logged or stored. */
export function leaseHashOf(leaseId: string): string {
  return createHash('sha256').update(leaseId).digest('hex');
}
