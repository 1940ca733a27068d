import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { parseRef } from './ref-name.ts';

describe('ref names, as git judges them', () => {
  it('given whatever is accepted, when git is asked, then git accepts it too', () => {
    const alphabet = [
      'a',
      'Z',
      '0',
      '-',
      '_',
      '.',
      '/',
      '@',
      '{',
      '}',
      '#',
      'ü',
      '~',
      '^',
      ' ',
      ':',
      '*',
      '.lock',
      '..',
    ];
    const anyRef = fc
      .array(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 8 })
      .map((parts) => `refs/heads/${parts.join('')}`);
    const accepted = fc.sample(anyRef, { numRuns: 400, seed: 7 }).filter((ref) => parseRef(ref).ok);
    expect(accepted.length).toBeGreaterThan(10);
    for (const ref of accepted) {
      expect([ref, spawnSync('git', ['check-ref-format', ref]).status]).toEqual([ref, 0]);
    }
  });
});
