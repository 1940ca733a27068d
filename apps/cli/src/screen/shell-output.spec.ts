import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ShellOutput } from './shell-output.ts';

const shown = (...pieces: readonly string[]): string => {
  const output = new ShellOutput();
  return pieces.map((piece) => Buffer.from(output.take(Buffer.from(piece))).toString('utf8')).join('');
};

describe('what a shell shows on the terminal of a person', () => {
  it.each([
    ['a title', '\u001b]0;pwned\u0007'],
    ['the clipboard', '\u001b]52;c;cm0gLXJmIC8K\u001b\\'],
    ['a link', '\u001b]8;;https://example.test\u001b\\'],
    ['a question whose answer is worded by others', '\u001b[21t'],
    ['a setting that is told', '\u001bP$qm\u001b\\'],
    ['a message to the terminal', '\u001b_x\u001b\\'],
    ['a control character of two bytes', '\u009d'],
  ])('has not %s', (_, sequence) => {
    expect(shown(`a${sequence}b`)).toBe('ab');
  });

  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m'],
    ['moves of the cursor', '\u001b[2J\u001b[H\u001b7\u001b8'],
    ['another screen', '\u001b[?1049h'],
    ['letters of all kinds', 'Ä ß 漢 £ é 🦊'],
    ['a key that begins like a control character', '\u00c2\u00a0'],
  ])('has %s', (_, text) => {
    expect(shown(text)).toBe(text);
  });

  it('is the same in whatever pieces it comes, never has what opens a string, and text comes whole', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 5 }),
      fc.constantFrom('\u001b', '\u001b]', '\u001b[', '\u0007', '\u001b\\', '\u001bP', '\u0018', 't', '\u009d', '0;'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const whole = shown(pieces.join(''));
        expect(shown(...pieces)).toBe(whole);
        const beyond = [...']PX^_'.split('').map((letter) => `\u001b${letter}`), '\u0080', '\u009d', '\u009f'];
        expect(beyond.filter((opener) => whole.includes(opener))).toEqual([]);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(shown(text)).toBe(text)));
  });

  it('goes on although a string that was begun never ends', () => {
    expect(shown(`\u001b]52;c;${'A'.repeat(70_000)}`, 'ls\n')).toMatch(/ls\n$/u);
  });
});
