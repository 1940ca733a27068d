import { describe, expect, it } from '@jest/globals';
import { Moment, parseMoment } from './moment.ts';

describe('a moment', () => {
  it.each([
    ['0', { position: 0 }],
    ['1200', { position: 1200 }],
    ['2026-01-31T12:00:00Z', { time: '2026-01-31T12:00:00Z' }],
    ['2026-01-31T12:00:00.5+02:00', { time: '2026-01-31T12:00:00.5+02:00' }],
    ['2026-01-31', { time: '2026-01-31' }],
  ])('given %s, it is a position or a time', (text, expected) => {
    expect(parseMoment(text)).toEqual(expected);
    expect(Moment.safeParse(text).success).toBe(true);
  });

  it.each(['', '-1', '01', '1e3', 'tomorrow', '2026-13-01', '2026-01-31T12:00:00', '9'.repeat(16)])(
    'given %p, it is none',
    (text) => {
      expect(parseMoment(text)).toBeNull();
      expect(Moment.safeParse(text).success).toBe(false);
    },
  );
});
