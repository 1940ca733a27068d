import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MASK } from './masking-stream.ts';
import { formsOf, SECRETS_BYTES_MAX, whyNoSecret } from './secret-forms.ts';
import { SecretMasker } from './secret-masker.ts';

const FAKE = 'not/a+secret of "anybody"~é<&>';
const FAKE_KEY = '-----BEGIN FAKE KEY-----\nbm90IGEgc2Vj\r\ncmV0IGF0IGFsbA\n}\n-----END FAKE KEY-----\n';

const ESCAPE = '\x1b';
const COLOUR_OR_TITLE = new RegExp(`${ESCAPE}\\[[0-9;]*m|${ESCAPE}\\]0;|\\x07`, 'g');
/** Ends of lines, and sequences of ECMA-48 and ECMA-35, as far as they go: control sequences, strings, and all others. */
const UNSEEN = new RegExp(
  `[\\r\\n]|${ESCAPE}(?:\\[[ -?]*[@-~]?|[\\]PX^_][^\\x07\\r\\n${ESCAPE}]*\\x07?|[ -/]*[0-~]?)`,
  'g',
);

const masked = (text: string, ...secrets: string[]): string => new SecretMasker(secrets).mask(text);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const hex = (text: string): string => Buffer.from(text).toString('hex');

/** What is left of a text that carries the fake secret in one disguise, between an opening and a closing bracket. */
const DISGUISES: Record<string, string> = {
  'as it is': FAKE,
  'after another character': `x${FAKE}`,
  'twice in a row': FAKE + FAKE,
  'in base64': base64(FAKE),
  'in base64, one byte late': base64(`u${FAKE}`).slice(2),
  'in base64, two bytes late': base64(`u:${FAKE}`).slice(3),
  'in base64 for URLs': base64url(FAKE),
  'in base64 for URLs, two bytes late': base64url(`u:${FAKE}`).slice(3),
  'in base64 of several lines': base64(FAKE).replace(/.{8}/g, '$&\n'),
  'in hexadecimal': hex(FAKE),
  'in hexadecimal capitals': hex(FAKE).toUpperCase(),
  'in hexadecimal of several lines': hex(FAKE).replace(/.{10}/g, '$&\r\n'),
  'escaped for a URL': encodeURIComponent(FAKE),
  'escaped for a URL with small letters': encodeURIComponent(FAKE).replace(/%[0-9A-F]{2}/g, (part) =>
    part.toLowerCase(),
  ),
  'escaped for a form': new URLSearchParams({ a: FAKE }).toString().slice(2),
  'escaped for a path': encodeURIComponent(FAKE).replaceAll('%2F', '/'),
  'inside a string of JSON': JSON.stringify(FAKE).slice(1, -1),
  'inside a string of JSON with slashes escaped': JSON.stringify(FAKE).slice(1, -1).replaceAll('/', '\\/'),
  'inside a string of JSON in ASCII': JSON.stringify(FAKE).slice(1, -1).replace('é', '\\u00e9'),
  'inside a string of JSON that HTML may hold': JSON.stringify(FAKE)
    .slice(1, -1)
    .replace('<', '\\u003c')
    .replace('&', '\\u0026')
    .replace('>', '\\u003e'),
  'in two colours': `\x1b[31m${FAKE.slice(0, 5)}\x1b[0;1m${FAKE.slice(5)}\x1b[0m`,
  'a colour for each character': Array.from(FAKE)
    .map((character) => `\x1b[3${character.length}m${character}`)
    .join(''),
  'around a link': `${FAKE.slice(0, 5)}\x1b]8;;https://example.org\x07${FAKE.slice(5)}`,
  'around a link that ends by the book': `${FAKE.slice(0, 5)}\x1b]8;;https://example.org\x1b\\${FAKE.slice(5)}`,
  'in the title of a window': `\x1b]0;${FAKE}\x07`,
  'around a choice of character set': `${FAKE.slice(0, 5)}\x1b(B${FAKE.slice(5)}`,
  'around a sequence that is broken off': `${FAKE.slice(0, 5)}\x1b[3\x1b[0m${FAKE.slice(5)}`,
};

describe('masking secrets', () => {
  it.each(Object.entries(DISGUISES))('given a secret %s, then nothing of it is left', (disguise, text) => {
    const late = /bytes? late/;
    const left = masked(`[${text}]`, FAKE);
    const seen = left.replace(COLOUR_OR_TITLE, '').replace(/^\[x?|\n?\]$/g, '');
    // What is left of base64 is the character that the secret shares with what stands before it.
    expect(seen).toMatch(late.test(disguise) ? /^\S?\*\*\*$/ : /^\*\*\*$/);
  });

  it('given a secret of several lines, then each line is masked, and those too short to be secrets are not', () => {
    for (const line of FAKE_KEY.trim()
      .split(/\r?\n/)
      .filter(({ length }) => length > 1)) {
      expect(masked(`  ${line}\n`, FAKE_KEY)).toBe(`  ${MASK}\n`);
      expect(masked(base64(line), FAKE_KEY)).toBe(MASK);
    }
    expect(masked('{ a: 1 }\n', FAKE_KEY)).toBe('{ a: 1 }\n');
    expect(masked(FAKE_KEY.replaceAll('\r', ''), FAKE_KEY)).toBe(`${MASK}\n`);
    expect(masked(JSON.stringify(FAKE_KEY), FAKE_KEY)).toBe(`"${MASK}\\n"`);
  });

  it('given secrets that overlap and that hold each other, then one mask covers all of them', () => {
    expect(masked('x-abcdefgh-x', 'abcdef', 'defgh', 'bcde')).toBe(`x-${MASK}-x`);
    expect(masked('aaaaaaaaaa!', 'aaaa')).toBe(`${MASK}!`);
  });

  it.each([
    ['what began a sequence', '\x1bXyz-not-a-secretvisible\x1b[0m-\x1b[0msecret', '\x1b***'],
    ['a part of what a sequence hides', 'visible-\x1b]8;;x?Xyz-not-a-secret&b\x07secret', '***'],
    ['the end of a sequence', '\x1b]8;;Xyz-not-a-secretvisible-\r\nsecret', '\x1b]8;;***'],
  ])(
    'given a mask in the place of %s, then what follows is looked at as it was, and as it is now',
    (_, text, clean) => {
      expect(new SecretMasker(['Xyz-not-a-secret', 'visible-secret']).mask(text)).toBe(clean);
    },
  );

  it('given the beginning of a secret that does not go on, then it is text like any other', () => {
    expect(masked('not/a+secre\x1b[0m!', FAKE)).toBe('not/a+secre\x1b[0m!');
    const stream = new SecretMasker([FAKE]).stream();
    expect(Buffer.from(stream.write(Buffer.from('> not/a'))).toString()).toBe('> ');
    expect(stream.keptBytes).toBe(5);
    expect(Buffer.from(stream.end()).toString()).toBe('not/a');
    expect(Buffer.from(stream.write(Buffer.from('+secret of "anybody"~é'))).toString()).toBe('+secret of "anybody"~é');
  });

  it('given a flood of sequences inside a secret, then memory stays bounded', () => {
    const stream = new SecretMasker([FAKE]).stream();
    stream.write(Buffer.from(FAKE.slice(0, 5)));
    for (let round = 0; round < 40; round += 1) stream.write(Buffer.from('\x1b[0m'.repeat(1_000)));
    expect(stream.keptBytes).toBe(0);
  });

  it('given content, then it says whether a secret is in it', async () => {
    const masker = new SecretMasker([FAKE]);
    expect(await masker.isIn(Buffer.from(`<testsuite>${base64(FAKE)}</testsuite>`))).toBe(true);
    const far = Buffer.concat([Buffer.alloc(1024 * 1024 - 5, 'x'), Buffer.from(FAKE)]);
    expect(await masker.isIn(far)).toBe(true);
    expect(await masker.isIn(Buffer.from('<testsuite/>'))).toBe(false);
    expect(await new SecretMasker([]).isIn(far)).toBe(false);
  });

  it.each([
    ['of the five with names', `a&amp;b&LT;c&gt;d&quot;e&apos;f`],
    ['by number', 'a&#38;b&#x3c;c&#62;d&#x22;e&#039;f'],
    ['of everything', Array.from(`a&b<c>d"e'f`, (one) => `&#${one.charCodeAt(0)};`).join('')],
  ])(
    'given content with a secret in references of XML, %s, then it is in it, wherever pieces of it end',
    async (_, text) => {
      const masker = new SecretMasker([`a&b<c>d"e'f`]);
      expect(await masker.isIn(Buffer.from(`<failure message="expected ${text}"/>`))).toBe(true);
      for (const before of [1, 3, text.length - 1]) {
        const far = Buffer.concat([Buffer.alloc(1024 * 1024 - before, 'x'), Buffer.from(text)]);
        expect(await masker.isIn(far)).toBe(true);
      }
      expect(await masker.isIn(Buffer.from('a&amp;b&#1114112;&#;&amp'))).toBe(false);
      expect(await new SecretMasker(['é&中']).isIn(Buffer.from('&#233;&amp;&#x4e2d;'))).toBe(true);
    },
  );

  it('given no secrets, then everything passes as it is', () => {
    expect(masked('\x1b[1mall\x1b[0m\r\n')).toBe('\x1b[1mall\x1b[0m\r\n');
  });
});

describe('what can be a secret', () => {
  it.each([
    ['', 'it has 0 characters and needs 4'],
    ['x', 'it has 1 characters and needs 4'],
    ['  abc \n', 'it has 3 characters and needs 4'],
    ['a\nb\nc', 'it has 3 characters and needs 4'],
    ['abcd\0efgh', 'NUL'],
    ['abcd\ud800', 'not text'],
    ['x'.repeat(32_769), 'more than 32768 bytes'],
  ])('given %j, then it is refused, and the refusal says why and not what', (value, why) => {
    expect(whyNoSecret(value)).toContain(why);
  });

  it('given one of four characters, then it can be', () => {
    expect(whyNoSecret('abcd')).toBeNull();
    expect(whyNoSecret('ab\ncd')).toBeNull();
  });
});

describe('as many secrets as a job may have', () => {
  it.each([
    ['lines of JSON', '{"k":"éééééé\\"}\n'],
    ['characters of three bytes', '中文中文"\n'],
    ['characters of four bytes', '😀😁😂😃\n'],
    ['control characters', '\u0001\u0002\u0003\u0004"\n'],
  ])('are looked for, of %s too', (_, line) => {
    const value = Buffer.alloc(SECRETS_BYTES_MAX, line).toString().replaceAll('\ufffd', '');
    expect(new SecretMasker([value]).mask(`before ${line} after`)).not.toContain(line.trim());
  });
});

describe('laws of masking', () => {
  // Few letters, so that secrets overlap, repeat and begin again within themselves.
  const narrow = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '/', 'é'), minLength: 4, maxLength: 12 });
  const wide = fc.string({ unit: 'grapheme', minLength: 4, maxLength: 40 });
  const secrets = fc
    .array(fc.oneof(narrow, wide), { minLength: 1, maxLength: 4 })
    .map((values) => values.filter((value) => whyNoSecret(value) === null));
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  const escapes = fc.constantFrom('', '', '', '\x1b[0m', '\x1b[1;31m', '\r\n', '\x1b]8;;x\x07', '\x1b(B');
  const noise = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: fc.constantFrom('a', 'b', '/', '\x1b', '[', 'm', '\n'), maxLength: 12 }),
  );

  function inPieces(masker: SecretMasker, bytes: Buffer, at: readonly number[]): Buffer {
    const stream = masker.stream();
    const ends = [...at.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
    let from = 0;
    const parts = ends.map((to) => {
      const part = stream.write(Buffer.from(bytes.subarray(from, to)));
      from = to;
      return Buffer.from(part);
    });
    return Buffer.concat([...parts, stream.end()]);
  }

  function isClean(masker: SecretMasker, bytes: Buffer): boolean {
    const stream = masker.stream();
    stream.write(bytes);
    return !stream.hasMasked;
  }

  const text = secrets.chain((values) => {
    const forms = values.flatMap((value) => formsOf(value).map((form) => Buffer.from(form).toString()));
    const disguised = forms.length === 0 ? fc.constant('') : fc.constantFrom(...forms);
    const broken = fc.tuple(disguised, fc.array(escapes, { minLength: 1, maxLength: 5 })).map(([form, between]) =>
      Array.from(form)
        .map((sign, index) => sign + between[index % between.length])
        .join(''),
    );
    return fc.tuple(fc.constant(values), fc.array(fc.oneof(noise, disguised, broken), { maxLength: 8 }));
  });

  it('law: no form of a secret leaves, whole or between sequences, however the text is cut', () => {
    let masks = 0;
    fc.assert(
      fc.property(text, cuts, ([values, parts], at) => {
        const masker = new SecretMasker(values);
        const pieces = inPieces(masker, Buffer.from(parts.join('')), at)
          .toString('latin1')
          .split(MASK);
        masks += pieces.length - 1;
        for (const piece of pieces) expect(isClean(masker, Buffer.from(piece, 'latin1'))).toBe(true);
        for (const form of values.flatMap(formsOf)) {
          for (const piece of pieces) expect(piece.includes(Buffer.from(form).toString('latin1'))).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
    expect(masks).toBeGreaterThan(50);
  });

  it('law: how the text is cut changes nothing', () => {
    fc.assert(
      fc.property(text, cuts, ([values, parts], at) => {
        const masker = new SecretMasker(values);
        const bytes = Buffer.from(parts.join(''));
        expect(inPieces(masker, bytes, at).equals(inPieces(masker, bytes, []))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('law: what holds no secret passes unchanged', () => {
    fc.assert(
      fc.property(secrets, fc.array(noise, { maxLength: 8 }), cuts, (values, parts, at) => {
        const bytes = Buffer.from(parts.join(''));
        // What nobody sees is left out twice: as a terminal reads it, and not at all.
        const seen = bytes.toString().replace(UNSEEN, '');
        const forms = values.flatMap((value) => formsOf(value).map((form) => Buffer.from(form).toString()));
        fc.pre(!forms.some((form) => bytes.toString().includes(form) || seen.includes(form)));
        expect(inPieces(new SecretMasker(values), bytes, at).equals(bytes)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});
