/** How a line begins that the guest says of itself; `inside/second.sh` has it too. */
const MARK = 'delta-guest: ';

/** Reads what a guest says, line by line. */
export class GuestConsole {
  /** Whether the guest is as far as to run something. */
  isUp = false;
  /** What the work in it ended with; null before. */
  exitCode: number | null = null;
  /** Lines in which batteries of hostile jobs say what withstood. */
  readonly batteries: string[] = [];
  private rest = '';

  /** @returns the lines to show, each with its end */
  take(text: string): string {
    const lines = `${this.rest}${text.replaceAll('\r', '')}`.split('\n');
    this.rest = lines.pop() ?? '';
    return lines
      .filter((line) => !this.isOwn(line))
      .map((line) => `${line}\n`)
      .join('');
  }

  private isOwn(line: string): boolean {
    if (line.startsWith('hostile battery: ')) this.batteries.push(line);
    if (!line.startsWith(MARK)) return false;
    const ended = /^ended with (\d+)$/u.exec(line.slice(MARK.length));
    this.isUp = true;
    if (ended !== null) this.exitCode = Number(ended[1]);
    return true;
  }
}
