import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLfsPointer } from './lfs-pointer.ts';

const OID = 'ab'.repeat(32);
const VERSION = 'version https://git-lfs.github.com/spec/v1';
const parsed = (text: string) => parseLfsPointer(Buffer.from(text));

describe('pointers of Git LFS', () => {
  it('given a pointer, then digest and size are read', () => {
    expect(parsed(`${VERSION}\noid sha256:${OID}\nsize 12345\n`)).toEqual({ oid: OID, sizeBytes: 12_345 });
  });

  it.each([
    ['nothing', ''],
    ['another version', `version https://evil.example/v1\noid sha256:${OID}\nsize 1\n`],
    ['another hash', `${VERSION}\noid md5:${OID}\nsize 1\n`],
    ['a digest in capitals', `${VERSION}\noid sha256:${OID.toUpperCase()}\nsize 1\n`],
    ['a short digest', `${VERSION}\noid sha256:${OID.slice(2)}\nsize 1\n`],
    ['a path for a digest', `${VERSION}\noid sha256:../../../etc/passwd\nsize 1\n`],
    ['a negative size', `${VERSION}\noid sha256:${OID}\nsize -1\n`],
    ['a size with a zero before it', `${VERSION}\noid sha256:${OID}\nsize 01\n`],
    ['a size beyond all numbers', `${VERSION}\noid sha256:${OID}\nsize 99999999999999999999\n`],
    ['a size that is no whole number exactly', `${VERSION}\noid sha256:${OID}\nsize 9999999999999999\n`],
    ['keys in another order', `${VERSION}\nsize 1\noid sha256:${OID}\n`],
    ['a key twice', `${VERSION}\noid sha256:${OID}\noid sha256:${OID}\nsize 1\n`],
    ['an extension, which changes content', `${VERSION}\next-0-x sha256:${OID}\noid sha256:${OID}\nsize 1\n`],
    ['no last line feed', `${VERSION}\noid sha256:${OID}\nsize 1`],
    ['line ends of another system', `${VERSION}\r\noid sha256:${OID}\r\nsize 1\r\n`],
    ['something after it', `${VERSION}\noid sha256:${OID}\nsize 1\n\n`],
    ['as many bytes as no pointer has', `${VERSION}\noid sha256:${OID}\nsize 1\n${'x'.repeat(1_024)}\n`],
  ])('given %s, then it is no pointer', (_what, text) => expect(parsed(text)).toBeNull());

  it('law: any bytes are a pointer or none, and one that is says what it was made from', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        expect(parseLfsPointer(Buffer.from(bytes))?.oid ?? OID).toMatch(/^[0-9a-f]{64}$/u);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.maxSafeNat(), (digest, sizeBytes) => {
        const oid = Buffer.from(digest).toString('hex');
        // Sizes have as many digits as exact numbers do.
        expect(parsed(`${VERSION}\noid sha256:${oid}\nsize ${sizeBytes}\n`)).toEqual({ oid, sizeBytes });
      }),
    );
  });
});
