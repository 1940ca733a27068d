/** What the beginning of a connection says about the server it is for. */
export type Hello =
  /** It goes on: nothing can be said before `readsOnAt` bytes are there. */
  | { readonly kind: 'incomplete'; readonly readsOnAt: number }
  | { readonly kind: 'not-tls' }
  /** A whole ClientHello; null where it names no server. */
  | { readonly kind: 'hello'; readonly serverName: string | null };

/** Longer greetings no client sends; more is not waited for. */
export const HELLO_BYTES_MAX = 32 * 1024;

const NOT_TLS: Hello = { kind: 'not-tls' };

const HANDSHAKE_RECORD = 22;
const RECORD_HEADER_BYTES = 5;
const RECORD_BYTES_MAX = 16 * 1024;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER_BYTES = 4;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;

/** Thrown and caught in here: bytes that end before what they announce. */
class Malformed extends Error {}

/** Reads numbers and vectors as TLS writes them, never past the end. */
class Reader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  number(size: 1 | 2 | 3): number {
    return this.take(size).readUIntBE(0, size);
  }

  take(size: number): Buffer {
    if (size > this.left) throw new Malformed();
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  vector(sizeBytes: 1 | 2): Reader {
    return new Reader(this.take(this.number(sizeBytes)));
  }
}

/** The handshake bytes in the records that are there, up to the end of the greeting; how many bytes there must be to read on. */
type Gathered = { readonly handshake: Buffer; readonly readsOnAt: number };

/**
 * A greeting may be cut into records anywhere, between two bytes of a number too. Null for what is no record of a handshake.
 * What follows a whole greeting is none of its business.
 */
function gather(bytes: Buffer): Gathered | null {
  const fragments: Buffer[] = [];
  let [at, total, wanted] = [0, 0, Infinity];
  while (total < wanted && bytes.length >= at + RECORD_HEADER_BYTES) {
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3 || length === 0 || length > RECORD_BYTES_MAX) return null;
    const from = at + RECORD_HEADER_BYTES;
    const fragment = bytes.subarray(from, from + length);
    fragments.push(fragment);
    total += fragment.length;
    at = from + length;
    if (wanted === Infinity && total >= MESSAGE_HEADER_BYTES) wanted = messageBytes(Buffer.concat(fragments));
    if (bytes.length < at) break;
  }
  const readsOnAt = bytes.length < at ? at : at + RECORD_HEADER_BYTES;
  return { handshake: Buffer.concat(fragments), readsOnAt };
}

/** As long as a message says that it is, its header included. */
const messageBytes = (handshake: Buffer): number => MESSAGE_HEADER_BYTES + handshake.readUIntBE(1, 3);

function serverNameIn(hello: Reader): string | null {
  hello.take(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  if (hello.left === 0) return null;
  const extensions = hello.vector(2);
  if (hello.left > 0) throw new Malformed();
  let found: string | null = null;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type !== SERVER_NAME_EXTENSION) continue;
    // Two names would leave it to the server which of them counts.
    if (found !== null) throw new Malformed();
    found = hostNameIn(content);
  }
  return found;
}

function hostNameIn(extension: Reader): string {
  const names = extension.vector(2);
  if (extension.left > 0 || names.number(1) !== HOST_NAME) throw new Malformed();
  const name = names.vector(2);
  if (names.left > 0) throw new Malformed();
  return name.take(name.left).toString('latin1');
}

/** Reads which server a TLS client asks for, from all the bytes it sent so far. Whatever is odd about them is no TLS. */
export function readServerName(bytes: Buffer): Hello {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) return NOT_TLS;
  const gathered = gather(bytes);
  if (gathered === null) return NOT_TLS;
  const { handshake, readsOnAt } = gathered;
  if (handshake.length > 0 && handshake[0] !== CLIENT_HELLO) return NOT_TLS;
  const wanted = handshake.length < MESSAGE_HEADER_BYTES ? MESSAGE_HEADER_BYTES : messageBytes(handshake);
  if (handshake.length < wanted) {
    return readsOnAt > HELLO_BYTES_MAX || wanted > HELLO_BYTES_MAX ? NOT_TLS : { kind: 'incomplete', readsOnAt };
  }
  try {
    return { kind: 'hello', serverName: serverNameIn(new Reader(handshake.subarray(MESSAGE_HEADER_BYTES, wanted))) };
  } catch (error) {
    if (error instanceof Malformed) return NOT_TLS;
    throw error;
  }
}
