import { describe, expect, it } from '@jest/globals';
import { Figure, number, ofRaw, words } from './figure.ts';

const figure = (over: Partial<Figure> = {}): Figure => ({ name: 'append.events', value: 20_000, unit: '/s', ...over });

describe('a figure', () => {
  it('given a raw limit, then it is read as a share or a multiple of it', () => {
    expect(ofRaw(figure({ raw: { what: 'insert', value: 40_000 } }))).toBe(0.5);
    expect(ofRaw(figure({ value: 22, unit: 'ms', raw: { what: 'bwrap', value: 5.5 } }))).toBe(4);
    expect(ofRaw(figure())).toBeNull();
  });

  it.each([
    [20_417.4, '/s', '20,417/s'],
    [12.345, 'ms', '12.3 ms'],
    [0.456, 's', '0.46 s'],
    [1_234, '', '1,234'],
    [Number.NaN, 'ms', '- ms'],
  ] as const)('given %d %s, then people read %s', (value, unit, text) => {
    expect(words({ value, unit })).toBe(text);
  });

  it('given more digits than mean anything, then three are left', () => {
    expect([0.1234, 1.234, 12.34, 123.4].map(number)).toEqual(['0.12', '1.23', '12.3', '123']);
  });

  it.each(['append', 'Append.events', 'append.'])('refuses the name %s', (name) => {
    expect(Figure.safeParse(figure({ name })).success).toBe(false);
  });
});
