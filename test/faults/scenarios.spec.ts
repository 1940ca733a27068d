import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ALWAYS_REQUIRED } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const namesInReadme = [...README.matchAll(/^\| `([a-z-]+)` /gmu)].map(([, name]) => name);

describe('the scenarios', () => {
  it('are the ones that the README lists, in its order', () => {
    expect(SCENARIOS.map(({ name }) => name)).toEqual(namesInReadme);
  });

  it('require nothing twice', () => {
    for (const { name, requires = [] } of SCENARIOS) {
      const all = [...ALWAYS_REQUIRED, ...requires];
      expect([name, new Set(all).size]).toEqual([name, all.length]);
    }
  });
});
