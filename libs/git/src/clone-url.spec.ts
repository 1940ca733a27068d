import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { originOf, parseCloneUrl } from './clone-url.ts';
import type { Protocol } from './hygiene.ts';

const ALL: readonly Protocol[] = ['https', 'ssh', 'http', 'file'];

describe('clone URLs that are accepted', () => {
  it.each([
    ['https://forge.example/o/r.git', 'https://forge.example/o/r.git', 'https', 'forge.example', 443],
    ['https://Forge.EXAMPLE:443/o/r', 'https://forge.example/o/r', 'https', 'forge.example', 443],
    ['https://forge.example:8443/o/r', 'https://forge.example:8443/o/r', 'https', 'forge.example', 8443],
    ['http://127.0.0.1:3000/o/r.git', 'http://127.0.0.1:3000/o/r.git', 'http', '127.0.0.1', 3000],
    ['http://[::1]:3000/o/r.git', 'http://[::1]:3000/o/r.git', 'http', '::1', 3000],
    ['ssh://git@forge.example/o/r.git', 'ssh://git@forge.example/o/r.git', 'ssh', 'forge.example', 22],
    ['ssh://git@forge.example:2222/~me/r', 'ssh://git@forge.example:2222/~me/r', 'ssh', 'forge.example', 2222],
    ['git@forge.example:o/r.git', 'git@forge.example:o/r.git', 'ssh', 'forge.example', 22],
    ['file:///srv/git/r.git', 'file:///srv/git/r.git', 'file', '', 0],
    ['https://forge.example/a%20b/r', 'https://forge.example/a%20b/r', 'https', 'forge.example', 443],
  ] as const)('given %s, when parsed, then it is what git is given', (text, url, protocol, host, port) => {
    expect(parseCloneUrl(text, ALL)).toEqual({ ok: true, value: { url, protocol, host, port } });
  });

  it('given credentials, when parsed, then they are taken out and decoded', () => {
    const parsed = parseCloneUrl('https://x-token:fake%2Fsecret@forge.example/o/r', ALL);
    expect(parsed).toEqual({
      ok: true,
      value: {
        url: 'https://forge.example/o/r',
        protocol: 'https',
        host: 'forge.example',
        port: 443,
        credential: { username: 'x-token', password: 'fake/secret' },
      },
    });
  });

  it('given a protocol that is not allowed, when parsed, then the refusal names those that are', () => {
    const parsed = parseCloneUrl('http://forge.example/o/r', ['https', 'ssh']);
    expect(!parsed.ok && parsed.error).toMatchObject({ code: 'protocol_refused' });
    expect(!parsed.ok && parsed.error.message).toContain('https, ssh');
  });
});

const HOSTILE = [
  '',
  ' https://forge.example/o/r',
  'https://forge.example/o/r\n',
  'https://forge.example/o/r\u0000',
  'https://forge.example/o\tr',
  '--upload-pack=touch /tmp/x',
  '-oProxyCommand=id',
  'ext::sh -c id',
  'fd::17',
  'git://forge.example/o/r',
  'ftp://forge.example/o/r',
  'javascript:alert(1)',
  'HTTPS://forge.example/o/r',
  'https:/forge.example/o/r',
  'https://forge.example',
  'https://forge.example/',
  'https:///o/r',
  'https://-oProxyCommand=id/o/r',
  'ssh://-oProxyCommand=id/o/r',
  'ssh://-oProxyCommand=id@forge.example/o/r',
  'ssh://git:password@forge.example/o/r',
  'ssh://git@-forge.example/o/r',
  '-git@forge.example:o/r',
  'git@-forge.example:o/r',
  'git@forge.example:-o/r',
  'git@forge.example:',
  'forge.example:o/r',
  'c:/windows/r',
  '/srv/git/r',
  './r',
  '../r',
  'file://relative/r',
  'file://host/share/r',
  'file:///srv/../etc',
  'https://forge.example/../r',
  'https://forge.example/o/%2e%2e/r',
  'https://forge.example/o/%2E./r',
  'https://forge.example/o%2fr',
  'https://forge.example/o%00r',
  'https://forge.example/o%0ar',
  'https://forge.example/o%5cr',
  'https://forge.example/o%252e%252e/r',
  'https://forge.example/o/r%zz',
  'https://forge.example/o/r?x=1',
  'https://forge.example/o/r#x',
  'https://forge.example/o/r;x',
  'https://forge.example/o/$(id)',
  'https://forge.example/o\\r',
  'https://forge.example\\@evil.example/o/r',
  'https://a@b@forge.example/o/r',
  'https://forge.example:0/o/r',
  'https://forge.example:99999/o/r',
  'https://forge.example:22x/o/r',
  'https://2130706433/o/r',
  'https://0x7f000001/o/r',
  'https://0x7f.1/o/r',
  'https://127.1/o/r',
  'https://0177.0.0.1/o/r',
  'https://1.2.3.4.5/o/r',
  'https://[::1/o/r',
  'https://[not-an-address]/o/r',
  'https://forge..example/o/r',
  'https://forge.example./o/r',
  'https://fórge.example/o/r',
  'https://forge\u2024example/o/r',
  'https://%66orge.example/o/r',
  `https://forge.example/${'a'.repeat(2_000)}`,
  `https://${'a'.repeat(64)}.example/o/r`,
];

describe('clone URLs that are refused', () => {
  it.each(HOSTILE)('given %j, when parsed, then it is refused by name, in a message safe to print', (text) => {
    const parsed = parseCloneUrl(text, ALL);
    expect(!parsed.ok && parsed.error.code).toBe('invalid_url');
    expect(!parsed.ok && parsed.error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('given a refused URL with a password, when parsed, then the message does not hold it', () => {
    const parsed = parseCloneUrl('https://me:obviously-fake@forge.example/../r', ALL);
    expect(JSON.stringify(parsed)).not.toContain('obviously-fake');
  });

  it('given any text, when accepted, then it stays one argument that git reads as this URL, and parses to itself', () => {
    const part = fc.constantFrom(
      'https',
      'ssh',
      '://',
      ':',
      '@',
      '/',
      '-',
      '.',
      '..',
      '%2e',
      'a',
      'host',
      '1',
      '[',
      ']',
      '::',
      '\n',
      '~',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const parsed = parseCloneUrl(parts.join(''), ALL);
        if (!parsed.ok) return;
        const { url } = parsed.value;
        expect(url).toMatch(/^(?:https|http|ssh|file):\/\/[^-]|^[A-Za-z0-9_]/u);
        expect(url).not.toMatch(/[\s\\]|\/\.\.?(?:\/|$)|\/-|::\w+ /u);
        const again = parseCloneUrl(url, ALL);
        expect(again.ok && again.value.url).toBe(url);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('what a checkout names as its remote', () => {
  it.each([
    ['https://user:obviously-fake@forge.example/demo/shop.git', 'https://forge.example/demo/shop.git'],
    ['git@forge.example:demo/shop.git', 'git@forge.example:demo/shop.git'],
    ['/srv/shop.git', undefined],
    ['file:///srv/shop.git', undefined],
    ['https://forge.example/$(id)', undefined],
  ])('of %s is %s', (text, origin) => {
    expect(originOf(text)).toBe(origin);
  });
});
