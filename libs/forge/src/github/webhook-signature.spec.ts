import { describe, expect, it } from '@jest/globals';
import { isSignedByGitHub, signLikeGitHub } from './webhook-signature.ts';

/** The example of GitHub's documentation of webhook signatures. */
const SECRET = "It's a Secret to Everybody";
const BODY = Buffer.from('Hello, World!');
const SIGNATURE = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';

describe('signatures of deliveries', () => {
  it('given the example that GitHub documents, then it is signed, and we sign alike', () => {
    expect(isSignedByGitHub(BODY, SIGNATURE, SECRET)).toBe(true);
    expect(signLikeGitHub(BODY, SECRET)).toBe(SIGNATURE);
  });

  it.each<[string, Buffer, string | undefined, string]>([
    ['another body', Buffer.from('Hello, World?'), SIGNATURE, SECRET],
    ['another secret', BODY, SIGNATURE, 'another secret'],
    ['no header', BODY, undefined, SECRET],
    ['an empty header', BODY, '', SECRET],
    ['SHA-1', BODY, SIGNATURE.replace('sha256=', 'sha1='), SECRET],
    ['a bare digest', BODY, SIGNATURE.slice('sha256='.length), SECRET],
    ['a shorter digest', BODY, SIGNATURE.slice(0, -2), SECRET],
    ['something behind it', BODY, `${SIGNATURE}\n`, SECRET],
    ['something that is not hexadecimal', BODY, `sha256=${'z'.repeat(64)}`, SECRET],
  ])('given %s, then it is not signed', (_what, body, header, secret) => {
    expect(isSignedByGitHub(body, header, secret)).toBe(false);
  });
});
