/** What `git cat-file` says about one object. */
export type ObjectAnswer =
  | {
      readonly kind: 'found';
      readonly id: string;
      readonly type: string;
      readonly sizeBytes: number;
      readonly content: Buffer;
    }
  | { readonly kind: 'missing'; readonly id: string };

const HEADER = /^([0-9a-f]{40,64}) (?:(missing)|(blob|tree|commit|tag) (\d+))$/u;

const NEWLINE = 0x0a;

/** The longest header has an id of 64, a type of 6 and a size of at most 20 characters. */
const MAX_HEADER_BYTES = 128;

const NOTHING = Buffer.alloc(0);

interface Header {
  readonly id: string;
  readonly type: string;
  readonly sizeBytes: number;
}

/**
 * Reads the answers of `cat-file --batch` (with contents) or `--batch-check` (without), however they arrive in pieces.
 * `add` returns the answers a chunk completes, or `'broken'` when this is not what git should write.
 */
export class BatchAnswers {
  private readonly withContents: boolean;
  private line: Buffer = NOTHING;
  private header: Header | undefined;
  private pieces: Buffer[] = [];
  private missingBytes = 0;

  constructor(withContents: boolean) {
    this.withContents = withContents;
  }

  add(chunk: Buffer): ObjectAnswer[] | 'broken' {
    const answers: ObjectAnswer[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.header !== undefined) {
        rest = this.takeContent(this.header, rest, answers);
        continue;
      }
      const end = rest.indexOf(NEWLINE);
      this.line = Buffer.concat([this.line, rest.subarray(0, end < 0 ? undefined : end)]);
      if (this.line.length > MAX_HEADER_BYTES) return 'broken';
      if (end < 0) return answers;
      rest = rest.subarray(end + 1);
      if (!this.takeHeader(answers)) return 'broken';
    }
    return answers;
  }

  private takeHeader(answers: ObjectAnswer[]): boolean {
    const found = HEADER.exec(this.line.toString('latin1'));
    this.line = NOTHING;
    if (found === null) return false;
    const [, id = '', missing, type = '', size = '0'] = found;
    if (missing !== undefined) answers.push({ kind: 'missing', id });
    else if (!this.withContents) answers.push({ kind: 'found', id, type, sizeBytes: Number(size), content: NOTHING });
    else {
      this.header = { id, type, sizeBytes: Number(size) };
      this.missingBytes = Number(size) + 1;
    }
    return true;
  }

  /** Contents are followed by one line end, counted with them and cut off. */
  private takeContent(header: Header, chunk: Buffer, answers: ObjectAnswer[]): Buffer {
    const piece = chunk.subarray(0, this.missingBytes);
    this.pieces.push(piece);
    this.missingBytes -= piece.length;
    if (this.missingBytes === 0) {
      const content = Buffer.concat(this.pieces).subarray(0, header.sizeBytes);
      answers.push({ kind: 'found', ...header, content });
      this.header = undefined;
      this.pieces = [];
    }
    return chunk.subarray(piece.length);
  }
}
