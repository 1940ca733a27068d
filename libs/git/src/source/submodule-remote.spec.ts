import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseCloneUrl, type CloneUrl } from '../clone-url.ts';
import { sameOwner, submoduleRemote, type SubmoduleTerms } from './submodule-remote.ts';

const clone = (url: string): CloneUrl => {
  const parsed = parseCloneUrl(url, ['https', 'http', 'ssh', 'file']);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
};

const SHOP = clone('https://forge.example/demo/shop.git');
const TERMS: SubmoduleTerms = { protocols: ['https'], hosts: ['mirror.example'] };

const remote = (url: string, declaredBy = SHOP, terms = TERMS): string => {
  const found = submoduleRemote(SHOP, declaredBy, url, terms);
  return found.ok ? found.value.url : found.error.code;
};

describe('where a submodule is', () => {
  it.each([
    ['https://forge.example/other/lib.git', 'https://forge.example/other/lib.git'],
    ['https://FORGE.example/other/lib', 'https://forge.example/other/lib'],
    ['https://mirror.example/lib.git', 'https://mirror.example/lib.git'],
    ['../lib.git', 'https://forge.example/demo/lib.git'],
    ['./lib.git', 'https://forge.example/demo/shop.git/lib.git'],
    ['../../other/lib', 'https://forge.example/other/lib'],
    ['.././../other/lib', 'https://forge.example/other/lib'],
    ['git@forge.example:other/lib.git', 'https://forge.example/other/lib.git'],
    ['ssh://git@forge.example:2222/other/lib.git', 'https://forge.example/other/lib.git'],
  ])('given %s, then it is %s', (url, expected) => expect(remote(url)).toBe(expected));

  it('given one that a submodule declares, then it is beside that one', () => {
    expect(remote('../inner.git', clone('https://mirror.example/vendor/lib.git'))).toBe(
      'https://mirror.example/vendor/inner.git',
    );
  });

  it.each([
    ['https://elsewhere.example/lib.git', 'host_refused'],
    ['https://forge.example:8443/lib.git', 'host_refused'],
    ['https://forge.example.evil.example/lib.git', 'host_refused'],
    ['https://forge.example@evil.example/lib.git', 'host_refused'],
    ['https://169.254.169.254/latest', 'host_refused'],
    ['http://forge.example/lib.git', 'protocol_refused'],
    ['git@elsewhere.example:lib.git', 'protocol_refused'],
    ['file:///etc', 'protocol_refused'],
    ['ext::sh -c touch% /tmp/x', 'invalid_url'],
    ['-u./payload', 'invalid_url'],
    ['--upload-pack=touch x', 'invalid_url'],
    ['/etc/passwd', 'invalid_url'],
    ['../../../lib.git', 'invalid_url'],
    ['../lib/../../../../x', 'invalid_url'],
    ['../-lib.git', 'invalid_url'],
    ['https://forge.example/../../x', 'invalid_url'],
    ['https://forge.example/a\nhost: b', 'invalid_url'],
    ['', 'invalid_url'],
  ])('given %j, then it is refused: %s', (url, code) => expect(remote(url)).toBe(code));

  it('law: whatever is declared, it is refused or lies on a host that was named, over a protocol that was', () => {
    const part = fc.constantFrom(
      '../',
      './',
      'https://',
      'http://',
      'git@',
      'forge.example',
      'evil.example',
      ':',
      '@',
      '/',
      'a',
      '-',
      '%2e',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        const found = submoduleRemote(SHOP, SHOP, parts.join(''), TERMS);
        if (!found.ok) return;
        expect(new URL(found.value.url).protocol).toBe('https:');
        expect(['forge.example', 'mirror.example']).toContain(new URL(found.value.url).host);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('who a credential is for', () => {
  it.each<[string, boolean]>([
    ['https://forge.example/demo/lib.git', true],
    ['https://forge.example/Demo/lib', true],
    ['https://forge.example/other/lib.git', false],
    ['https://forge.example/demo/group/lib.git', false],
    ['https://forge.example:8443/demo/lib.git', false],
    ['http://forge.example/demo/lib.git', false],
    ['https://mirror.example/demo/lib.git', false],
  ])('given %s, then the same owner: %s', (url, same) => expect(sameOwner(SHOP, clone(url))).toBe(same));
});
