import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { i386CallProgram, systemCallProgram } from '../../seccomp/system-call-program.ts';
import { X32_CALL_BIT } from '../../seccomp/system-calls.ts';
import type { HostileJob } from './hostile-job.fixture.ts';

const SIGSYS = { exitCode: 159, signal: 'SIGSYS' } as const;
const SIGSEGV = { exitCode: 139, signal: 'SIGSEGV' } as const;

/** Some virtual machines have no such door: there a program that tries it ends by itself, whatever filters it. */
function hasI386Door(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'delta-i386-'));
  try {
    const program = join(folder, 'i386');
    writeFileSync(program, i386CallProgram(), { mode: 0o755 });
    return spawnSync(program).signal !== 'SIGSEGV';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** It takes every call for one of its own machine's, or answers that there is no such call: none reaches another kernel. */
const UNDER_OWN_KERNEL = { ends: { endedBy: 'exit' } } as const;

/** Jobs that enter the kernel as programs of another machine would. */
export const otherMachines = (): readonly HostileJob[] => [
  {
    name: 'enters the kernel by the door of i386',
    files: () => ({ i386: i386CallProgram() }),
    script: () => './i386',
    ends: hasI386Door() ? SIGSYS : SIGSEGV,
    underOwnKernel: UNDER_OWN_KERNEL,
  },
  {
    name: 'enters the kernel by the door of x32',
    files: () => ({ x32: systemCallProgram('x64', X32_CALL_BIT + 39) }),
    script: () => './x32',
    ends: SIGSYS,
    underOwnKernel: UNDER_OWN_KERNEL,
  },
];
