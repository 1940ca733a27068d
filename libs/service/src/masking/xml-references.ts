const AMPERSAND = 0x26;

/** Longer ones are none that any writer makes. */
const REFERENCE_CHARACTERS_MAX = 16;

const REFERENCE = /&(?:#(\d{1,12})|#x([0-9a-f]{1,12})|(lt|gt|amp|quot|apos));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const CODE_POINT_MAX = 0x10_ffff;

/** A text as readers of XML and HTML have it, who put characters where references (`&amp;`, `&#38;`) stand. It may come in pieces. */
export class XmlReferences {
  /** The end of the last piece, which may be the beginning of a reference. */
  #rest: Buffer = Buffer.alloc(0);

  /** What is decided now that `piece` has come. */
  write(piece: Uint8Array): Uint8Array {
    if (this.#rest.byteLength === 0 && !piece.includes(AMPERSAND)) return piece;
    const whole = Buffer.concat([this.#rest, piece]);
    const last = whole.lastIndexOf(AMPERSAND);
    const isOpen = last !== -1 && whole.byteLength - last < REFERENCE_CHARACTERS_MAX && !whole.includes(';', last);
    this.#rest = isOpen ? whole.subarray(last) : Buffer.alloc(0);
    return resolved(isOpen ? whole.subarray(0, last) : whole);
  }

  /** What was kept back. */
  end(): Uint8Array {
    return this.#rest;
  }
}

/** Byte by byte, so that what is no text at all stays as it is. */
function resolved(bytes: Buffer): Uint8Array {
  const text = bytes
    .toString('latin1')
    .replace(REFERENCE, (reference, decimal?: string, hex?: string, name?: string) => {
      const character =
        name === undefined
          ? characterOf(decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal))
          : NAMED[name.toLowerCase()];
      return character === undefined ? reference : Buffer.from(character).toString('latin1');
    });
  return Buffer.from(text, 'latin1');
}

const characterOf = (code: number): string | undefined =>
  code <= CODE_POINT_MAX ? String.fromCodePoint(code) : undefined;
