import type { SecretMasker } from '@delta-ci/service';
import { LocalLog } from './local-log.ts';

/** What one job says on its way to the screen and to what is kept of it, without its secrets. */
export class JobOutput {
  readonly log = new LocalLog();
  readonly #masker: SecretMasker | null;
  readonly #stream: ReturnType<SecretMasker['stream']> | null;
  readonly #show: (chunk: Uint8Array) => void;

  /** @param masker null where there is nothing to hide */
  constructor(masker: SecretMasker | null, show: (chunk: Uint8Array) => void) {
    this.#masker = masker;
    this.#stream = masker?.stream() ?? null;
    this.#show = show;
  }

  /** Bytes so far, those included that are kept back because they may be the beginning of a secret. */
  get bytes(): number {
    return this.log.bytes + (this.#stream?.keptBytes ?? 0);
  }

  write(chunk: Uint8Array): void {
    this.#take(this.#stream?.write(chunk) ?? chunk);
  }

  /** A line of ours, masked by itself: what is kept back goes on behind it. */
  say(text: string): void {
    this.#take(Buffer.from(`[delta] ${this.mask(text)}\n`));
  }

  /** Words about the job, which may be its own. */
  mask(text: string): string {
    return this.#masker?.mask(text) ?? text;
  }

  /** Whether something that is to be hidden is in one of these. */
  async hides(...contents: readonly Uint8Array[]): Promise<boolean> {
    for (const content of contents) if ((await this.#masker?.isIn(content)) === true) return true;
    return false;
  }

  end(): void {
    if (this.#stream !== null) this.#take(this.#stream.end());
    this.log.end();
  }

  #take(masked: Uint8Array): void {
    if (masked.byteLength === 0) return;
    this.log.write(masked);
    this.#show(masked);
  }
}
