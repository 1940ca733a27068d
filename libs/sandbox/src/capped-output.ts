import type { OutputSink } from './sandbox-executor.ts';

export type OutputTotals = { readonly bytes: number; readonly truncated: boolean; readonly sinkError: Error | null };

const cutMarker = (capBytes: number): Buffer =>
  Buffer.from(`\n[delta] the output ends here: it has more than ${capBytes} bytes\n`);

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/**
 * Hands a step's output to its sink up to a cap, then a line that says so, then nothing. A sink that rejects is not
 * called again; what it said is kept.
 */
export class CappedOutput {
  private bytes = 0;
  private sinkError: Error | null = null;
  private readonly capBytes: number;
  private readonly sink: OutputSink;
  private readonly onSinkError: () => void;

  constructor(capBytes: number, sink: OutputSink, onSinkError: () => void) {
    this.capBytes = capBytes;
    this.sink = sink;
    this.onSinkError = onSinkError;
  }

  async take(chunk: Buffer): Promise<void> {
    const before = this.bytes;
    this.bytes += chunk.length;
    await this.deliver(chunk.subarray(0, Math.max(0, this.capBytes - before)));
    if (before <= this.capBytes && this.bytes > this.capBytes) await this.deliver(cutMarker(this.capBytes));
  }

  totals(): OutputTotals {
    return { bytes: this.bytes, truncated: this.bytes > this.capBytes, sinkError: this.sinkError };
  }

  private async deliver(chunk: Buffer): Promise<void> {
    if (this.sinkError !== null || chunk.length === 0) return;
    try {
      await this.sink(chunk);
    } catch (reason) {
      this.sinkError = asError(reason);
      this.onSinkError();
    }
  }
}
