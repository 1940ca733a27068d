import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ShellOutput } from './shell-output.ts';

/** Latin-1: a byte for each character. */
const shownOfBytes = (...pieces: readonly string[]): string => {
  const output = new ShellOutput();
  return pieces.map((piece) => Buffer.from(output.take(Buffer.from(piece, 'latin1'))).toString('latin1')).join('');
};

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
    ['another encoding', '\u001b%@'],
    ['another encoding for good', '\u001b%/G'],
    ['answers in other control characters', '\u001b G'],
    ['what is printed', '\u001b[5i'],
    ['what is printed by itself', '\u001b[?5i'],
    ['a sum of what is shown, under a number of the asker', '\u001b[4242;1;1;1;1;1*y'],
    ['an enquiry', '\u0005'],
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

  it('has no enquiry inside of something else either', () => {
    expect(shown('\u001b[1\u0005;31m')).toBe('\u001b[1;31m');
  });

  it('has no byte that is a control character alone, but those of letters', () => {
    const replaced = Buffer.from('\ufffd').toString('latin1');
    expect(shownOfBytes('a\u009d0;title\u0007')).toBe(`a${replaced}0;title\u0007`);
    expect(shownOfBytes('a\u00e2\u0090', 'b')).toBe(`a${replaced}b`);
    expect(shownOfBytes('\u00e2\u0090', '\u009b')).toBe('\u00e2\u0090\u009b');
  });

  it('is UTF-8 whatever the bytes, and the same in whatever pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 10 }), (pieces) => {
        const output = new ShellOutput();
        const parts = Buffer.concat(pieces.map((piece) => output.take(piece)));
        expect(parts).toEqual(Buffer.from(new ShellOutput().take(Buffer.concat(pieces))));
        expect(parts.toString('utf8')).not.toMatch(/[\u0080-\u009f]/u);
        expect(parts.includes(0x05)).toBe(false);
        expect(Buffer.from(parts.toString('utf8'))).toEqual(parts);
      }),
    );
  });

  it('is the same in whatever pieces it comes, never has what opens a string, and text comes whole', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 5 }),
      fc.constantFrom(
        '\u001b%',
        '@',
        '\u0005',
        '\u001b',
        '\u001b]',
        '\u001b[',
        '\u0007',
        '\u001b\\',
        '\u001bP',
        '\u0018',
        't',
        '\u009d',
        '0;',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const whole = shown(pieces.join(''));
        expect(shown(...pieces)).toBe(whole);
        const beyond = [
          '\u0005',
          ...']PX^_% '.split('').map((letter) => `\u001b${letter}`),
          '\u0080',
          '\u009d',
          '\u009f',
        ];
        expect(beyond.filter((opener) => whole.includes(opener))).toEqual([]);
      }),
    );
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => expect(shown(text)).toBe(text)));
  });

  it('goes on although a string that was begun never ends', () => {
    expect(shown(`\u001b]52;c;${'A'.repeat(70_000)}`, 'ls\n')).toMatch(/ls\n$/u);
  });
});

describe('what undoes it', () => {
  const undoing = (...pieces: readonly string[]): string => {
    const output = new ShellOutput();
    for (const piece of pieces) output.take(Buffer.from(piece));
    return output.undoing;
  };

  it('takes back keys and reports of every kind that may have been left on', () => {
    const left = ['[<99u', '[>4m', '[?25h', '[!p', '[0m'].map((each) => `\u001b${each}`);
    expect(left.filter((each) => !undoing().includes(each))).toEqual([]);
    const off = /\[\?9;([0-9;]+)l/u.exec(undoing())?.[1]?.split(';') ?? [];
    expect(off).toEqual(
      expect.arrayContaining(['1000', '1001', '1002', '1003', '1004', '1006', '1015', '1016', '2004']),
    );
  });

  it.each([
    ['a program that is still there', ['\u001b[?1049h']],
    ['an older one', ['\u001b[?47h']],
    ['one of several modes, in pieces', ['\u001b[?25;10', '49;1h']],
    ['one that came back', ['\u001b[?1049h\u001b[?1049l\u001b[?1047h']],
  ])('leaves the other screen after %s, and then undoes the keys of both', (_, pieces) => {
    expect(undoing(...pieces).startsWith('\u001b[<99u\u001b[?1049l\u001b[<99u')).toBe(true);
  });

  it.each([
    ['nothing', []],
    ['a program that left it', ['\u001b[?1049hx\u001b[?1049l']],
    ['a terminal that was reset', ['\u001b[?1049hx\u001bc']],
    ['other modes', ['\u001b[?1h\u001b[1049h']],
  ])('leaves the cursor where it is after %s', (_, pieces) => {
    expect(undoing(...pieces)).not.toContain('1049');
  });
});
