import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { PACK_HEAD_BYTES, treeOfFirstCommit } from './commit-in-pack.ts';

const TREE = 'ab'.repeat(20);
const commitOf = (tree: string, message = 'a change\n'): string =>
  `tree ${tree}\nauthor A <a@example.org> 1 +0000\ncommitter A <a@example.org> 1 +0000\n\n${message}`;
const idOf = (content: string, algorithm = 'sha1'): string =>
  createHash(algorithm)
    .update(`commit ${Buffer.byteLength(content)}\0${content}`)
    .digest('hex');

/** Four bits of the size, then seven at a time. */
function headOf(type: number, size: number): number[] {
  const bytes = [(type << 4) | (size & 0b1111)];
  for (let rest = size >> 4; rest > 0; rest >>= 7) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return bytes;
}

const packOf = (content: string, type = 1, size = Buffer.byteLength(content)): Buffer =>
  Buffer.concat([
    Buffer.from('PACK\0\0\0\u0002\0\0\0\u0003', 'latin1'),
    Buffer.from(headOf(type, size)),
    deflateSync(content),
    Buffer.from('what follows'),
  ]);

describe('the first commit of a pack', () => {
  it.each([
    ['short', commitOf(TREE, '\n'), 'sha1'],
    ['long', commitOf(TREE, 'words '.repeat(10_000)), 'sha1'],
    ['hashed with SHA-256', commitOf('cd'.repeat(32)), 'sha256'],
  ])('given one that is %s, then it tells its tree', (_, content, algorithm) => {
    const tree = content.slice(5, content.indexOf('\n'));
    expect(treeOfFirstCommit(packOf(content).subarray(0, PACK_HEAD_BYTES), idOf(content, algorithm))).toBe(tree);
  });

  const content = commitOf(TREE);
  it.each([
    ['another commit', packOf(commitOf('cd'.repeat(20)))],
    ['another kind of object', packOf(content, 3)],
    ['one that is longer than it says', packOf(content, 1, 10)],
    ['one that is shorter than it says', packOf(content, 1, 1_000)],
    ['the beginning of one', packOf(content).subarray(0, 60)],
    ['no object', packOf(content).subarray(0, 12)],
    ['no pack', Buffer.from('<html></html>')],
    ['nothing', Buffer.alloc(0)],
    ['a size without end', Buffer.concat([packOf(content).subarray(0, 12), Buffer.alloc(1_000, 0xff)])],
  ])('given %s, then nothing is told', (what, head) => {
    expect([what, treeOfFirstCommit(head, idOf(content))]).toEqual([what, null]);
  });

  it('given what has the hash and is no commit, then nothing is told', () => {
    const words = 'no tree at all';
    expect(treeOfFirstCommit(packOf(words), idOf(words))).toBeNull();
  });
});
