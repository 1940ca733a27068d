import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnDeath } from '../../../tools/bootstrap/index.mjs';

const FILLER = 'filler';

/** Why nothing can be mounted here; null when it can, which is tried. */
export function noMountsHere(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'a small disk has to be mounted, which needs root';
  const directory = mkdtempSync(join(tmpdir(), 'delta-faults-'));
  try {
    mount(directory, 64 * 1024);
    execFileSync('umount', [directory]);
    return null;
  } catch (error) {
    return `nothing can be mounted here: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    rmdirSync(directory);
  }
}

/** A file system in memory of a given size over a directory, which can be filled to the last byte. */
export class SmallDisk {
  readonly #directory: string;
  readonly #leash: { release: () => void };

  /** @param directory its path is put into a shell command: one of ours, without anything a shell would read */
  constructor(directory: string, bytes: number) {
    mkdirSync(directory, { recursive: true });
    this.#directory = directory;
    this.#leash = runOnDeath(`umount -l ${directory}`);
    mount(directory, bytes);
  }

  /** Leaves no room. */
  fill(): void {
    const file = openSync(join(this.#directory, FILLER), 'w');
    const block = Buffer.alloc(4_096);
    try {
      for (;;) writeSync(file, block);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(file);
    }
  }

  /** Gives the room back. */
  free(): void {
    rmSync(join(this.#directory, FILLER), { force: true });
  }

  /** Takes it away, also while files of it are open. */
  remove(): void {
    execFileSync('umount', ['-l', this.#directory]);
    this.#leash.release();
  }
}

/** What a directory holds, moved to a small disk in its place and back again. Nobody may use it meanwhile. */
export class MovedToSmallDisk {
  readonly disk: SmallDisk;
  readonly #directory: string;
  readonly #aside: string;

  /** @param spareBytes room on the disk beside what is there */
  constructor(directory: string, spareBytes: number) {
    const { uid, gid, mode } = statSync(directory);
    const used = Number(execFileSync('du', ['-sb', directory], { encoding: 'utf8' }).split('\t')[0]);
    this.#directory = directory;
    this.#aside = `${directory}-aside`;
    renameSync(directory, this.#aside);
    this.disk = new SmallDisk(directory, used + spareBytes);
    chownSync(directory, uid, gid);
    chmodSync(directory, mode);
    execFileSync('cp', ['-a', `${this.#aside}/.`, directory]);
  }

  /** Takes what is there now back to where it came from. */
  moveBack(): void {
    rmSync(this.#aside, { recursive: true });
    execFileSync('cp', ['-a', this.#directory, this.#aside]);
    this.disk.remove();
    rmdirSync(this.#directory);
    renameSync(this.#aside, this.#directory);
  }
}

function mount(directory: string, bytes: number): void {
  const options = `size=${bytes},mode=755`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'delta-faults', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
