import { setImmediate as nextTurn } from 'node:timers/promises';
import { MaskingStream } from './masking-stream.ts';
import { PatternAutomaton } from './pattern-automaton.ts';
import { formsOf } from './secret-forms.ts';
import { XmlReferences } from './xml-references.ts';

/** Some tens of milliseconds of reading. */
const SLICE_BYTES = 1024 * 1024;

/** Hides the secrets of one job in everything that leaves the process. */
export class SecretMasker {
  readonly #patterns: PatternAutomaton;

  /** @param secrets values that `whyNoSecret` has nothing against. @throws RangeError when they are too much together */
  constructor(secrets: readonly string[]) {
    this.#patterns = new PatternAutomaton(secrets.flatMap(formsOf));
  }

  /** For output that comes in pieces. Each stream is masked on its own. */
  stream(): MaskingStream {
    return new MaskingStream(this.#patterns);
  }

  /** A whole text without the secrets. */
  mask(text: string): string {
    const stream = this.stream();
    const parts = [stream.write(Buffer.from(text)), stream.end()];
    return stream.hasMasked ? Buffer.concat(parts).toString('utf8') : text;
  }

  /**
   * Whether one of the secrets, in any of its forms, is in this content, as it is or as whoever reads it as XML has it: a report
   * of tests is shown to people that way. Others get their turn while it is read.
   */
  async isIn(content: Uint8Array): Promise<boolean> {
    if (this.#patterns.longest === 0) return false;
    const [plain, read, references] = [this.stream(), this.stream(), new XmlReferences()];
    for (let from = 0; from < content.byteLength; from += SLICE_BYTES) {
      if (from > 0) await nextTurn();
      const slice = content.subarray(from, from + SLICE_BYTES);
      plain.write(slice);
      read.write(references.write(slice));
      if (plain.hasMasked || read.hasMasked) return true;
    }
    read.write(references.end());
    return read.hasMasked;
  }
}
