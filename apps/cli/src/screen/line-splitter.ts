/** A line longer than this is printed in pieces: what has no line breaks must not fill the memory. */
const LINE_LENGTH_MAX = 16 * 1024;

/** Makes whole lines of bytes as they come, whatever the chunks, without tearing characters apart. */
export class LineSplitter {
  readonly #take: (line: string, isEnded: boolean) => void;
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** @param take is told too whether the line ends there; if not, it is a piece, and the line goes on */
  constructor(take: (line: string, isEnded: boolean) => void) {
    this.#take = take;
  }

  /** Whether what came last has not ended its line. */
  get isWithinLine(): boolean {
    return this.#rest !== '';
  }

  write(chunk: Uint8Array): void {
    this.#add(this.#decoder.decode(chunk, { stream: true }));
  }

  /** Hands on what stands after the last line break. */
  end(): void {
    this.#add(this.#decoder.decode());
    if (this.#rest !== '') this.#take(this.#rest, true);
    this.#rest = '';
  }

  #add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line, true);
    while (this.#rest.length > LINE_LENGTH_MAX) {
      this.#take(this.#rest.slice(0, LINE_LENGTH_MAX), false);
      this.#rest = this.#rest.slice(LINE_LENGTH_MAX);
    }
  }
}
