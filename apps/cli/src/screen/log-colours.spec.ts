import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { colouredLogLine } from './log-colours.ts';
import { safeLogLine } from './safe-text.ts';

const ESCAPE = '\u001b';
const COLOURS = new RegExp(`${ESCAPE}\\[[\\d;]*m`, 'gu');
const LEFT_ON = new RegExp(`${ESCAPE}\\[(?!0?m)[\\d;]*m(?!.*${ESCAPE}\\[0m)`, 'u');

const withoutColours = (text: string): string => text.replaceAll(COLOURS, '');
const isHarmless = (text: string): boolean =>
  !/[^\P{Cc}\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u.test(withoutColours(text));

/** What jobs have been seen to send, and what they might. */
const CORPUS: readonly (readonly [name: string, line: string, shown: string])[] = [
  ['a colour', '\u001b[32mok\u001b[0m done', '\u001b[32mok\u001b[0m done'],
  ['a colour that is left on', '\u001b[1;31mfailed', '\u001b[1;31mfailed\u001b[0m'],
  ['a short reset', '\u001b[32mok\u001b[m', '\u001b[32mok\u001b[0m'],
  ['a colour of 256', '\u001b[38;5;208mwarm', '\u001b[38;5;208mwarm\u001b[0m'],
  ['a colour of all', '\u001b[48;2;1;2;3mdark', '\u001b[48;2;1;2;3mdark\u001b[0m'],
  ['a colour that is none', '\u001b[38;5;999mtext', 'text'],
  ['half a colour', '\u001b[38;2;1mtext', 'text'],
  ['hidden text', '\u001b[8mpassword\u001b[0m', 'password\u001b[0m'],
  ['text that blinks', '\u001b[5;31mnow', '\u001b[31mnow\u001b[0m'],
  ['a link', '\u001b]8;;https://evil.example/\u0007click\u001b]8;;\u0007', 'click'],
  ['the clipboard', '\u001b]52;c;cm0gLXJmIC8=\u0007x', 'x'],
  ['a title', '\u001b]0;owned\u001b\\x', 'x'],
  ['a cursor that moves up and erases', 'all good\u001b[1A\u001b[2Kall bad', 'all goodall bad'],
  ['the other screen', '\u001b[?1049hx', 'x'],
  ['a question to the terminal', '\u001b[6n\u001b[cx', 'x'],
  ['a device control string', '\u001bP$q"p\u001b\\x', '$q"px'],
  ['a progress bar', '10%\r50%\r\u001b[32m100%\u001b[0m\r', '\u001b[32m100%\u001b[0m'],
  ['text that runs backwards', 'a\u202eb\u2066c', 'a<U+202E>b<U+2066>c'],
  ['a bell and a backspace', 'a\u0007\u0008b', 'a\u2407\u2408b'],
  ['an 8-bit sequence', '\u009b2Jx\u009d0;t\u0007', 'x<U+009D>0;t\u2407'],
];

describe('a line of a log on a terminal', () => {
  it.each(CORPUS)('%s', (_name, line, shown) => {
    expect(colouredLogLine(line)).toBe(shown);
  });

  it('law: of whatever comes, colours are all that a terminal obeys', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(...CORPUS.map(([, line]) => line), '\u001b', '\u001b[', '\u001b]', 'm', ';', '31', '\r'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const shown = colouredLogLine(pieces.join('').replaceAll('\n', ''));
        expect(isHarmless(shown)).toBe(true);
        expect(LEFT_ON.test(shown)).toBe(false);
      }),
    );
  });

  it('law: without colours a line is shown as it is without them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (line) => {
        expect(colouredLogLine(line)).toBe(safeLogLine(line));
      }),
    );
  });
});
