/** Git's framing on the wire: four hexadecimal digits of length, themselves included, then that many bytes less four. */

/** A line of data, or one of the two marks that have none: the end of a message, the end of a section of it. */
export type Packet = Buffer | 'flush' | 'delimiter';

const LENGTH_DIGITS = 4;
const LENGTH = /^[0-9a-f]{4}$/iu;
const MARKS: ReadonlyMap<number, Packet> = new Map<number, Packet>([
  [0, 'flush'],
  [1, 'delimiter'],
]);

/** What a remote says is not in packets. */
export class NotPackets extends Error {}

export function packetLine(text: string): string {
  return `${(Buffer.byteLength(text) + LENGTH_DIGITS).toString(16).padStart(LENGTH_DIGITS, '0')}${text}`;
}

export const FLUSH = '0000';
export const DELIMITER = '0001';

/**
 * Takes a stream apart; holds one packet (64 KiB at most) and one piece of the stream.
 * @throws NotPackets for anything else, a stream that ends within a packet included
 */
export async function* packetsOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let needed = LENGTH_DIGITS;
  for await (const piece of stream) {
    pieces.push(piece);
    held += piece.length;
    // Joined only once a packet is whole: pieces of one byte would otherwise be copied over and over.
    if (held < needed) continue;
    let rest = Buffer.concat(pieces);
    for (let length = lengthOf(rest); length !== null && length <= rest.length; length = lengthOf(rest)) {
      yield MARKS.get(length) ?? rest.subarray(LENGTH_DIGITS, length);
      rest = rest.subarray(Math.max(length, LENGTH_DIGITS));
    }
    needed = lengthOf(rest) ?? LENGTH_DIGITS;
    pieces = [rest];
    held = rest.length;
  }
  if (held > 0) throw new NotPackets('the answer ends within a packet');
}

/** Bytes of the packet that begins here; null while its length has not arrived. */
function lengthOf(bytes: Buffer): number | null {
  if (bytes.length < LENGTH_DIGITS) return null;
  const digits = bytes.toString('latin1', 0, LENGTH_DIGITS);
  const length = LENGTH.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
  if (MARKS.has(length) || length >= LENGTH_DIGITS) return length;
  throw new NotPackets('the answer is not in packets');
}
