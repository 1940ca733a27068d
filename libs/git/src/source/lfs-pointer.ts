/** What stands in a tree for a file that Git LFS keeps elsewhere. */
export interface LfsPointer {
  /** SHA-256 of the content, in lower-case hexadecimal digits. */
  readonly oid: string;
  readonly sizeBytes: number;
}

/** A pointer has fewer bytes than this. */
export const POINTER_BYTES_MAX = 1_024;

const VERSIONS = new Set(['https://git-lfs.github.com/spec/v1', 'https://hawser.github.com/spec/v1']);
const LINE = /^(?<key>[a-z0-9.-]+) (?<value>[^\r\n]+)$/u;
const OID = /^sha256:([0-9a-f]{64})$/u;
const SIZE = /^(?:0|[1-9]\d{0,15})$/u;

/**
 * Reads a pointer: its version first, the other keys in order, each once, a line feed after each. Null for anything else,
 * a pointer with keys nobody here knows included: an extension would have its content changed on the way.
 */
export function parseLfsPointer(content: Buffer): LfsPointer | null {
  if (content.length >= POINTER_BYTES_MAX) return null;
  const lines = content.toString('utf8').split('\n');
  if (lines.pop() !== '') return null;
  const pairs = lines.map((line) => LINE.exec(line)?.groups ?? {});
  if (pairs.map(({ key }) => key).join(' ') !== 'version oid size') return null;
  const [version, oid, size] = pairs.map(({ value }) => value ?? '');
  const digits = OID.exec(oid ?? '')?.[1];
  if (!VERSIONS.has(version ?? '') || digits === undefined || !SIZE.test(size ?? '')) return null;
  const sizeBytes = Number(size);
  return Number.isSafeInteger(sizeBytes) ? { oid: digits, sizeBytes } : null;
}
