import type { MaskingStream } from '@delta-ci/service';
import type { LogUpload } from './log-upload.ts';

/** An attempt's log on its way out: nothing reaches the upload that has not been masked. */
export class MaskedLog {
  readonly #stream: MaskingStream;
  readonly #upload: LogUpload;

  constructor(stream: MaskingStream, upload: LogUpload) {
    this.#stream = stream;
    this.#upload = upload;
  }

  /**
   * Bytes of the log so far. Those kept back count as they are: no secret goes on over the end of a step, because a line of
   * ours stands between two steps.
   */
  get bytes(): number {
    return this.#upload.bytes + this.#stream.keptBytes;
  }

  get truncated(): boolean {
    return this.#upload.truncated;
  }

  /** Resolves when there is room again. Rejects when the log cannot be uploaded any more. */
  async write(chunk: Uint8Array): Promise<void> {
    const masked = this.#stream.write(chunk);
    if (masked.byteLength > 0) await this.#upload.write(masked);
  }

  /** Begins to send what there is, because nothing more is expected. */
  hurry(): void {
    this.#upload.hurry();
  }

  /** Sends what is left. */
  async end(): Promise<void> {
    const rest = this.#stream.end();
    if (rest.byteLength > 0) await this.#upload.write(rest);
    await this.#upload.end();
  }
}
