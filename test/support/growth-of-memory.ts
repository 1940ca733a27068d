import { readFile, writeFile } from 'node:fs/promises';

/**
 * How much more memory this process came to hold than it held at a moment. The peak that `process.resourceUsage()` knows is
 * that of the whole life of the process, and a worker of the test runner has lived through other suites.
 *
 * Linux only: `proc_pid_clear_refs(5)`, `proc_pid_status(5)`.
 */
export class GrowthOfMemory {
  readonly #heldBytes: number;

  private constructor(heldBytes: number) {
    this.#heldBytes = heldBytes;
  }

  static async fromNow(): Promise<GrowthOfMemory> {
    await writeFile('/proc/self/clear_refs', '5');
    return new GrowthOfMemory(await bytesOf('VmRSS'));
  }

  /** The most that was held since then, less what was held then. */
  async peakBytes(): Promise<number> {
    return (await bytesOf('VmHWM')) - this.#heldBytes;
  }
}

async function bytesOf(name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const kibibytes = new RegExp(String.raw`^${name}:\s+(\d+) kB$`, 'm').exec(
    await readFile('/proc/self/status', 'utf8'),
  )?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/self/status names no ${name}`);
  return Number(kibibytes) * 1_024;
}
