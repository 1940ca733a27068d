import { CappedLog, LOG_BYTES_MAX } from '@delta-ci/contracts';
import type { SecretMasker } from '@delta-ci/service';
import { LocalLog } from './local-log.ts';

const LINE_FEED = 0x0a;

/** What one job says on its way to the screen and to what is kept of it, without its secrets. */
export class JobOutput {
  readonly log = new LocalLog();
  /** As much as a runner would keep of it. */
  readonly #capped: CappedLog;
  readonly #masker: SecretMasker | null;
  readonly #stream: ReturnType<SecretMasker['stream']> | null;
  readonly #show: (chunk: Uint8Array) => void;
  #endsLine = true;

  /** @param masker null where there is nothing to hide */
  constructor(masker: SecretMasker | null, show: (chunk: Uint8Array) => void, bytesMax: number = LOG_BYTES_MAX) {
    this.#capped = new CappedLog(bytesMax);
    this.#masker = masker;
    this.#stream = masker?.stream() ?? null;
    this.#show = show;
  }

  /** Bytes so far, those included that are kept back: because they may be the beginning of a secret, or what the log ends with. */
  get bytes(): number {
    return this.log.bytes + this.#capped.heldBytes + (this.#stream?.keptBytes ?? 0);
  }

  write(chunk: Uint8Array): void {
    this.#take(this.#stream?.write(chunk) ?? chunk);
  }

  /** A line of ours, in a line of its own and masked by itself: what is kept back goes on behind it. */
  say(text: string): void {
    this.#take(Buffer.from(`${this.#endsLine ? '' : '\n'}[delta] ${this.mask(text)}\n`));
  }

  /** Words about the job, which may be its own. */
  mask(text: string): string {
    return this.#masker?.mask(text) ?? text;
  }

  /** Whether something that is to be hidden is in it. */
  async hides(content: Uint8Array): Promise<boolean> {
    return (await this.#masker?.isIn(content)) === true;
  }

  /** Whether part of it was left out, because it was more than a log may hold. */
  get isCut(): boolean {
    return this.#capped.isCut;
  }

  end(): void {
    if (this.#stream !== null) this.#take(this.#stream.end());
    this.#passOn(this.#capped.end());
    this.log.end();
  }

  #take(masked: Uint8Array): void {
    if (masked.byteLength === 0) return;
    this.#endsLine = masked.at(-1) === LINE_FEED;
    this.#passOn(this.#capped.take(masked));
  }

  #passOn(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.log.write(part);
      this.#show(part);
    }
  }
}
