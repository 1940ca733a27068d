import type { MaskingStream, SecretMasker } from '@delta-ci/service';
import type { LogUpload } from './log-upload.ts';

const LINE_FEED = 0x0a;

/** An attempt's log on its way out: nothing reaches the upload that has not been masked. */
export class MaskedLog {
  readonly #masker: SecretMasker;
  readonly #stream: MaskingStream;
  readonly #upload: LogUpload;
  #endsLine = true;

  constructor(masker: SecretMasker, upload: LogUpload) {
    this.#masker = masker;
    this.#stream = masker.stream();
    this.#upload = upload;
  }

  /**
   * Bytes of the log so far. Those kept back count as they are: no secret goes on over the end of a step, because a line of
   * ours stands between two steps.
   */
  get bytes(): number {
    return this.#upload.bytes + this.#stream.keptBytes;
  }

  /** At which byte something was left out; null when nothing was. */
  get cutAt(): number | null {
    return this.#upload.cutAt;
  }

  /** Resolves when there is room again. Rejects when the log cannot be uploaded any more. */
  async write(chunk: Uint8Array): Promise<void> {
    await this.#take(this.#stream.write(chunk));
  }

  /**
   * A line of ours, at any time and in a line of its own. It is masked by itself: a secret that the job is about to say is still
   * found when its beginning has come and its end has not. Rejects as `write` does.
   */
  async say(text: string): Promise<void> {
    const line = `${this.#endsLine ? '' : '\n'}[delta] ${this.#masker.mask(text)}\n`;
    await this.#take(Buffer.from(line));
  }

  /** What was kept back goes: nothing comes that could go on with it. Rejects as `write` does. */
  async flush(): Promise<void> {
    await this.#take(this.#stream.end());
  }

  /** Begins to send what there is, because nothing more is expected. */
  hurry(): void {
    this.#upload.hurry();
  }

  /** Sends what is left. */
  async end(): Promise<void> {
    await this.flush();
    await this.#upload.end();
  }

  async #take(masked: Uint8Array): Promise<void> {
    if (masked.byteLength === 0) return;
    this.#endsLine = masked.at(-1) === LINE_FEED;
    await this.#upload.write(masked);
  }
}
