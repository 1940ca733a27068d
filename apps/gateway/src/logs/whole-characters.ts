/** Longest UTF-8 sequence. */
const SEQUENCE_BYTES_MAX = 4;

/**
 * How many of the bytes make whole characters: a sequence that is cut at the end waits for its rest. Bytes that are no
 * UTF-8 at all wait for nothing.
 */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(SEQUENCE_BYTES_MAX, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (!isContinuation(byte)) return sequenceBytes(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

function sequenceBytes(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xc2 && lead <= 0xdf ? 2 : 1;
}
