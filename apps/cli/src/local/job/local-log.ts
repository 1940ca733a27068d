import type { LogEvidence, LogWindow } from '@delta-ci/analysis';
import { LineSplitter } from '../../screen/line-splitter.ts';

/** Characters kept of the beginning and of the end: causes stand in one or the other. Together half of what analysis reads. */
const HEAD_CHARS_MAX = 1024 * 1024;
const TAIL_CHARS_MAX = 1024 * 1024;

/** What is kept of a job's output until it is known whether it failed. */
export class LocalLog {
  readonly #splitter = new LineSplitter((line) => this.#add(line));
  readonly #head: string[] = [];
  #headChars = 0;
  #tail: string[] = [];
  #tailChars = 0;
  #lines = 0;
  /** First lines of the steps that have begun. */
  readonly #steps: number[] = [];

  /** Bytes written so far. */
  bytes = 0;

  write(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    this.#splitter.write(chunk);
  }

  /** What comes now belongs to another step. */
  stepBegins(): void {
    this.#steps.push(this.#lines + (this.#splitter.isWithinLine ? 2 : 1));
  }

  end(): void {
    this.#splitter.end();
  }

  /** @param stepsAfter how many steps have begun after the one that failed */
  evidence(stepsAfter = 0): LogEvidence {
    const windows: LogWindow[] = [];
    if (this.#head.length > 0) windows.push({ firstLine: 1, text: this.#head.join('\n') });
    const tailFrom = this.#lines - this.#tail.length + 1;
    if (this.#tail.length > 0) windows.push({ firstLine: tailFrom, text: this.#tail.join('\n') });
    const at = this.#steps.length - 1 - stepsAfter;
    const [from, to] = [this.#steps[at] ?? 1, (this.#steps[at + 1] ?? this.#lines + 1) - 1];
    const failedStep = to < from ? null : { from, to };
    return { windows, totalLines: this.#lines, truncated: false, failedStep };
  }

  #add(line: string): void {
    this.#lines += 1;
    if (this.#headChars + line.length <= HEAD_CHARS_MAX && this.#tail.length === 0) {
      this.#head.push(line);
      this.#headChars += line.length + 1;
      return;
    }
    this.#tail.push(line);
    this.#tailChars += line.length + 1;
    // Halved at once: taking away line by line would move the whole array every time.
    if (this.#tailChars > 2 * TAIL_CHARS_MAX) {
      this.#tail = this.#tail.slice(Math.ceil(this.#tail.length / 2));
      this.#tailChars = this.#tail.reduce((sum, each) => sum + each.length + 1, 0);
    }
  }
}
