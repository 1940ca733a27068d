import { describe, expect, it } from '@jest/globals';
import { isAtLeast, versionIn } from './versions.mjs';

describe('versions', () => {
  it.each([
    ['v24.21.0', '24.21.0'],
    ['nats-server: v2.9.10', '2.9.10'],
    ['postgres (PostgreSQL) 17.10 (Debian 17.10-1)', '17.10'],
    ['bubblewrap 0.8.0', '0.8.0'],
    ['no number', null],
  ])('finds the first dotted number in %j', (text, version) => {
    expect(versionIn(text)).toBe(version);
  });

  it.each([
    ['24.9.0', '24.9', true],
    ['24.10', '24.9', true],
    ['25.0.0', '24.9', true],
    ['24.8.99', '24.9', false],
    ['20.20.2', '24.9', false],
    ['15.2', '15', true],
    ['14.18', '15', false],
  ])('%s is at least %s: %s', (version, least, answer) => {
    expect(isAtLeast(version, least)).toBe(answer);
  });
});
