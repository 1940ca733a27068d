import { CappedLog, LOG_BYTES_MAX, LOG_CHUNK_BYTES_MAX } from '@delta-ci/contracts';

/**
 * Sends `chunk` at `offset`; answers where the log continues, which is before the chunk's end when not all of it was taken.
 * Repeats by itself until it is answered, or rejects for good.
 */
export type SendLog = (offset: number, chunk: Uint8Array<ArrayBuffer>) => Promise<number>;

/** Between two uploads at least, so that followers see a line within this; more often would be many small requests. */
const FLUSH_MS = 100;
/** Beyond this the job waits for the upload, so that a flood of output never fills our memory. */
const BUFFER_BYTES_MAX = 2 * LOG_CHUNK_BYTES_MAX;

/**
 * Uploads an attempt's log while it is written: in order, by offset, bounded in memory and in size (see `CappedLog`).
 */
export class LogUpload {
  readonly #send: SendLog;
  readonly #capped: CappedLog;
  #buffer: Uint8Array[] = [];
  #buffered = 0;
  #taken = 0;
  #sent = 0;
  #timer: NodeJS.Timeout | null = null;
  #flushedAtMs = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> = Promise.resolve();
  #failure: Error | null = null;

  constructor(send: SendLog, bytesMax: number = LOG_BYTES_MAX) {
    this.#send = send;
    this.#capped = new CappedLog(bytesMax);
  }

  /** Bytes taken into the log so far, those included that wait for its end. Once something is left out they do not count any more. */
  get bytes(): number {
    return this.#taken + this.#capped.heldBytes;
  }

  /** At which byte something was left out; null when nothing was. */
  get cutAt(): number | null {
    return this.#capped.cutAt;
  }

  /** Resolves when there is room again. Rejects when the log cannot be uploaded any more. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    for (const part of this.#capped.take(chunk)) this.#add(part);
    if (this.#buffered >= LOG_CHUNK_BYTES_MAX) this.#flushSoon(0);
    // The first words after a silence go at once: the end of a short job need not wait for them.
    else this.#flushSoon(Math.max(1, this.#flushedAtMs + FLUSH_MS - performance.now()));
    while (this.#buffered > BUFFER_BYTES_MAX) await this.#flush();
  }

  /** Begins to send what there is, because nothing more is expected. */
  hurry(): void {
    void this.#flush();
  }

  /** Sends what is left, the end of a log that was cut among it. Waits as long as its sender does. */
  async end(): Promise<void> {
    for (const part of this.#capped.end()) this.#add(part);
    await this.#flush();
    if (this.#failure !== null) throw this.#failure;
  }

  #add(part: Uint8Array): void {
    if (part.byteLength === 0) return;
    this.#buffer.push(part);
    this.#buffered += part.byteLength;
    this.#taken += part.byteLength;
  }

  #flushSoon(delayMs: number): void {
    if (this.#timer !== null && delayMs > 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#flush(), delayMs);
  }

  async #flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushedAtMs = performance.now();
    this.#sending = this.#sending.then(async () => this.#sendBuffered());
    await this.#sending;
  }

  async #sendBuffered(): Promise<void> {
    while (this.#buffered > 0 && this.#failure === null) {
      const bytes = Buffer.concat(this.#buffer);
      this.#buffer = [];
      const chunk = new Uint8Array(bytes.subarray(0, LOG_CHUNK_BYTES_MAX));
      const rest = bytes.subarray(chunk.byteLength);
      if (rest.byteLength > 0) this.#buffer.push(rest);
      try {
        const taken = await this.#sendOne(chunk);
        if (taken < chunk.byteLength) this.#buffer.unshift(chunk.subarray(taken));
        this.#buffered -= taken;
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        this.#buffered -= chunk.byteLength;
      }
    }
  }

  /** Sends one chunk, and answers how many bytes of it were taken. */
  async #sendOne(chunk: Uint8Array<ArrayBuffer>): Promise<number> {
    const next = await this.#send(this.#sent, chunk);
    const taken = next - this.#sent;
    // Nothing taken would be sent for ever, and what was not sent cannot be there.
    if (taken <= 0 || taken > chunk.byteLength)
      throw new Error(`the log is said to go on at ${next}: ${chunk.byteLength} bytes were sent at ${this.#sent}`);
    this.#sent = next;
    return taken;
  }
}
