/** Bytes `[from, to)` of something. `partial`: the client asked for a part of it by its `Range`. */
export type ByteRange = { readonly from: number; readonly to: number; readonly partial: boolean };

/**
 * What to answer to a `Range` header on something of `size` bytes; `null` when nothing of it is there. Only one range of
 * bytes is served: anything else is answered with the whole, as HTTP allows.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | null {
  const whole = { from: 0, to: size, partial: false };
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return whole;
  if (first === '') return Number(last) === 0 ? null : partOf(Math.max(0, size - Number(last)), size, size);
  if (last !== '' && Number(last) < Number(first)) return whole;
  return partOf(Number(first), last === '' ? size : Number(last) + 1, size);
}

function partOf(from: number, to: number, size: number): ByteRange | null {
  return from >= size ? null : { from, to: Math.min(to, size), partial: true };
}
