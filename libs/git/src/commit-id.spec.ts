import { describe, expect, it } from '@jest/globals';
import { parseCommitId } from './commit-id.ts';

describe('commit ids', () => {
  it.each(['a'.repeat(40), '0123456789abcdef'.repeat(4)])('given %s, when parsed, then it is accepted', (id) => {
    expect(parseCommitId(id)).toEqual({ ok: true, value: id });
  });

  it.each([
    '',
    'HEAD',
    'main',
    'a'.repeat(7),
    'a'.repeat(39),
    'a'.repeat(41),
    'a'.repeat(63),
    'A'.repeat(40),
    'g'.repeat(40),
    '0'.repeat(40),
    '0'.repeat(64),
    `${'a'.repeat(40)}\n`,
    `${'a'.repeat(40)}^{tree}`,
    `-${'a'.repeat(39)}`,
    `--output=${'a'.repeat(31)}`,
  ])('given %j, when parsed, then it is refused by name', (id) => {
    const parsed = parseCommitId(id);
    expect(!parsed.ok && parsed.error.code).toBe('invalid_commit_id');
  });
});
