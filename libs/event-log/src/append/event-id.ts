import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 8_192;
const BYTES_PER_ID = 10;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** A UUID version 7 (RFC 9562): 48 bits of `atMs`, the rest random. Randomness is drawn for many ids at a time. */
export function newEventId(atMs: number): string {
  if (used + BYTES_PER_ID > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.toString('hex', used, used + BYTES_PER_ID);
  used += BYTES_PER_ID;
  const time = atMs.toString(16).padStart(12, '0');
  const variant = (0x8 | (Number.parseInt(random.charAt(3), 16) & 0x3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}
