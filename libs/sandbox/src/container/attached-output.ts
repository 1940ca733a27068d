/** Which of a container's outputs a piece of an attached stream is from. */
export type AttachedPiece = { readonly from: 'stdout' | 'stderr'; readonly bytes: Buffer };

/** One byte that names the stream, three of nothing, the length of what follows as 32 bits, highest first. */
const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Takes apart what an engine sends while one is attached to a container without a terminal. Pieces are handed on as
 * they come; only a header is ever held back.
 */
export class AttachedOutput {
  private header = Buffer.alloc(0);
  private left = 0;
  private from: AttachedPiece['from'] = 'stdout';

  *take(chunk: Buffer): Generator<AttachedPiece> {
    for (let rest = chunk; rest.length > 0;) {
      if (this.left === 0) {
        rest = this.readHeader(rest);
        continue;
      }
      const bytes = rest.subarray(0, this.left);
      this.left -= bytes.length;
      rest = rest.subarray(bytes.length);
      yield { from: this.from, bytes };
    }
  }

  private readHeader(rest: Buffer): Buffer {
    const wanted = HEADER_BYTES - this.header.length;
    this.header = Buffer.concat([this.header, rest.subarray(0, wanted)]);
    if (this.header.length === HEADER_BYTES) {
      this.from = this.header[0] === STDERR ? 'stderr' : 'stdout';
      this.left = this.header.readUInt32BE(4);
      this.header = Buffer.alloc(0);
    }
    return rest.subarray(wanted);
  }
}
