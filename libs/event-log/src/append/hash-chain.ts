import { hash } from 'node:crypto';

/**
 * The chain hash of a record: SHA-256 over the hash before it and the SHA-256 of its canonical text, both as
 * hexadecimal text. Hashing the text first lets an auditor check one run from its own records and 64 characters for
 * each record between them.
 */
export function chainHash(prevHash: string, canonical: string): string {
  return hash('sha256', prevHash + hash('sha256', canonical));
}
