import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRef } from './ref-name.ts';

const ACCEPTED = [
  'refs/heads/main',
  'refs/heads/feature/a-b_c.d',
  'refs/heads/dependabot/npm_and_yarn/@types/node-24.1.0',
  'refs/heads/fix/#123',
  'refs/heads/ünï/日本語',
  "refs/heads/it's-(fine)",
  'refs/heads/a+b=c,d%20&e!{f}',
  'refs/heads/party-🎉',
  'refs/tags/v1.2.3',
  'refs/pull/7/head',
  'refs/merge-requests/7/head',
  'refs/remotes/origin/main',
];

const HOSTILE = [
  '',
  'main',
  'HEAD',
  '--upload-pack=touch /tmp/x',
  '-c',
  'refs',
  'refs/',
  'refs/heads',
  'refs/heads/',
  '/refs/heads/main',
  'refs//heads/main',
  'refs/heads/main/',
  'refs/heads/--output=x',
  'refs/heads/--upload-pack=x',
  'refs/heads/a/-b',
  'refs/heads/.hidden',
  'refs/heads/a..b',
  'refs/heads/a...b',
  'refs/heads/../../../etc/passwd',
  'refs/heads/a@{1}',
  'refs/heads/@{upstream}',
  'refs/heads/a^{tree}',
  'refs/heads/a~1',
  'refs/heads/a:b',
  '+refs/heads/main',
  'refs/heads/*',
  'refs/heads/a?b',
  'refs/heads/[a]',
  'refs/heads/a b',
  'refs/heads/a\tb',
  'refs/heads/a\nb',
  'refs/heads/a\0b',
  'refs/heads/a\u007f',
  'refs/heads/a\u001b[31m',
  'refs/heads/a\\b',
  'refs/heads/a.lock',
  'refs/heads/a.lock/b',
  'refs/heads/a.',
  'refs/heads/$(id)',
  'refs/heads/`id`',
  'refs/heads/a;id',
  'refs/heads/a|id',
  'refs/heads/a<b',
  'refs/heads/"a"',
  'refs/heads/a\u202eb',
  'refs/heads/a\u200bb',
  'refs/heads/\ud800',
  `refs/heads/${'a'.repeat(600)}`,
  `refs/heads/${'a'.repeat(245)}/b`,
];

describe('ref names', () => {
  it.each(ACCEPTED)('given %j, when parsed, then it is accepted as it is', (ref) => {
    expect(parseRef(ref)).toEqual({ ok: true, value: ref });
  });

  it.each(HOSTILE)('given %j, when parsed, then it is refused by name, in a message safe to print', (ref) => {
    const parsed = parseRef(ref);
    expect(!parsed.ok && parsed.error.code).toBe('invalid_ref');
    expect(!parsed.ok && parsed.error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });

  it('given any text, when parsed, then what is accepted has nothing that git or a terminal reads as more than a name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const parsed = parseRef(`refs/heads/${text}`);
        return !parsed.ok || !/[\p{C}\p{Z}~^:?*[\\$;|<>"`]|\.\.|@\{|\/-|\/\.|\/\/|\/$/u.test(parsed.value);
      }),
    );
  });
});
