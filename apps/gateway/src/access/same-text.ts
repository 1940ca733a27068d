import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two texts are the same; takes the same time wherever and by however much they differ. */
export function isSameText(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
