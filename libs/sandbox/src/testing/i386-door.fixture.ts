import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { i386CallProgram } from '../seccomp/system-call-program.ts';

/** Some virtual machines have no such door: there a program that tries it ends by itself, whatever filters it. */
export function hasI386Door(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'delta-i386-'));
  try {
    const program = join(folder, 'i386');
    writeFileSync(program, i386CallProgram(), { mode: 0o755 });
    return spawnSync(program).signal !== 'SIGSEGV';
  } finally {
    rmSync(folder, { recursive: true });
  }
}
