import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';

/** So much of a pack's beginning holds any commit that somebody wrote, compressed. */
export const PACK_HEAD_BYTES = 64 * 1024;

/** As long as a commit may be for us to look into it. */
const COMMIT_BYTES_MAX = 1024 * 1024;

/** Before the first object: the word, a version, how many there are. */
const FIRST_OBJECT_AT = 12;

/** The type of an object in a pack, as its head has it. */
const COMMIT = 1;

const TREE = /^tree ([0-9a-f]{40}(?:[0-9a-f]{24})?)\n/u;

/**
 * Which tree a commit has, read from the beginning of a pack whose first object it is, as remotes send them: an object that has the
 * commit's hash says so. Null when something else stands there: then somebody has to ask git.
 * @param commit full id
 */
export function treeOfFirstCommit(head: Buffer, commit: string): string | null {
  const object = firstObjectOf(head);
  if (object?.type !== COMMIT || object.bytes > COMMIT_BYTES_MAX) return null;
  const content = inflated(head.subarray(object.at), object.bytes);
  if (content === null) return null;
  const hash = createHash(commit.length === 64 ? 'sha256' : 'sha1').update(`commit ${content.length}\0`);
  if (hash.update(content).digest('hex') !== commit) return null;
  return TREE.exec(content.toString('latin1'))?.[1] ?? null;
}

interface PackedObject {
  readonly type: number;
  readonly bytes: number;
  /** Where its compressed content begins. */
  readonly at: number;
}

/** Type and size stand in the bits of as many bytes as say that another one follows. */
function firstObjectOf(head: Buffer): PackedObject | null {
  if (head.toString('latin1', 0, 4) !== 'PACK') return null;
  let at = FIRST_OBJECT_AT;
  let byte = head[at++] ?? 0;
  const type = (byte >> 4) & 0b111;
  let bytes = byte & 0b1111;
  for (let unit = 16; byte >= 0x80; unit *= 0x80) {
    byte = head[at++] ?? 0;
    bytes += (byte & 0x7f) * unit;
  }
  return { type, bytes, at };
}

/** Null when it is not all there, or no such thing. What comes behind it is not looked at. */
function inflated(compressed: Buffer, bytes: number): Buffer | null {
  try {
    const content = inflateSync(compressed, { maxOutputLength: Math.max(1, bytes) });
    return content.length === bytes ? content : null;
  } catch {
    return null;
  }
}
