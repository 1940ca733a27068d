import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HttpTrouble } from './guarded-http.ts';
import { batchRequest, downloadsIn } from './lfs-batch.ts';

const ONE = { oid: 'ab'.repeat(32), sizeBytes: 3 };
const HREF = 'https://storage.example/one';
const object = (over: object = {}): object => ({
  oid: ONE.oid,
  size: 3,
  actions: { download: { href: HREF, header: { Authorization: 'fake' } } },
  ...over,
});
const withHeader = (header: unknown): object => object({ actions: { download: { href: HREF, header } } });

function outcomeOf(answer: unknown): string {
  try {
    return downloadsIn(answer, [ONE]).length === 1 ? 'understood' : 'lost';
  } catch (error) {
    return error instanceof HttpTrouble ? 'refused' : String(error);
  }
}

describe('what a server of Git LFS answers', () => {
  it('given what was asked for, then it is known where it is, and what to say there', () => {
    expect(JSON.parse(batchRequest([ONE]))).toMatchObject({
      operation: 'download',
      objects: [{ oid: ONE.oid, size: 3 }],
    });
    expect(downloadsIn({ objects: [object(), { oid: 'cd'.repeat(32) }] }, [ONE])).toEqual([
      { ...ONE, href: HREF, headers: { authorization: 'fake' } },
    ]);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a list', []],
    ['another way of transfer', { transfer: 'ssh', objects: [object()] }],
    ['another hash', { hash_algo: 'md5', objects: [object()] }],
    ['no objects', { objects: [] }],
    ['objects that are none', { objects: [null, 1, 'x'] }],
    ['a refusal', { objects: [object({ error: { code: 404, message: 'gone\u001b[2J' } })] }],
    ['another size', { objects: [object({ size: 4 })] }],
    ['no action', { objects: [object({ actions: {} })] }],
    ['an address that is none', { objects: [object({ actions: { download: { href: 1 } } })] }],
    ['a header with a line end', { objects: [withHeader({ a: 'b\r\nhost: c' })] }],
    ['a header with another in its name', { objects: [withHeader({ 'a: b\r\nc': 'd' })] }],
    ['a header that is ours', { objects: [withHeader({ Host: 'internal' })] }],
    ['a header that is no text', { objects: [withHeader({ a: {} })] }],
    [
      'too many headers',
      { objects: [withHeader(Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`h${at}`, ''])))] },
    ],
  ])('given %s, then it is refused in words that are safe to print', (_what, answer) => {
    expect(() => downloadsIn(answer, [ONE])).toThrow(HttpTrouble);
    expect(() => downloadsIn(answer, [ONE])).not.toThrow(/\p{Cc}/u);
  });

  it('law: any answer is understood or refused, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ objects: fc.array(fc.jsonValue()) })), (answer) => {
        expect(outcomeOf(answer)).toMatch(/^(?:understood|refused)$/u);
      }),
    );
  });
});
