import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { i386CallProgram, systemCallProgram } from '../../seccomp/system-call-program.ts';
import { X32_CALL_BIT } from '../../seccomp/system-calls.ts';
import type { HostileJob } from './hostile-job.fixture.ts';

const SIGSYS = { exitCode: 159, signal: 'SIGSYS' } as const;
const SIGSEGV = { exitCode: 139, signal: 'SIGSEGV' } as const;
const TAKEN_FOR_ANOTHER = { exitCode: 1, signal: null } as const;

/**
 * How a program ends that tries i386's door under the filter. Without the filter it exits with 0 where there is one. Some virtual
 * machines have none: it dies of the attempt, whatever filters it. And a kernel that is a program of another one takes what comes
 * through it for a call of its own machine.
 */
function endAtI386Door(): typeof SIGSYS | typeof SIGSEGV | typeof TAKEN_FOR_ANOTHER {
  const folder = mkdtempSync(join(tmpdir(), 'delta-i386-'));
  try {
    const program = join(folder, 'i386');
    writeFileSync(program, i386CallProgram(), { mode: 0o755 });
    const { status, signal } = spawnSync(program);
    if (signal === 'SIGSEGV') return SIGSEGV;
    return status === TAKEN_FOR_ANOTHER.exitCode ? TAKEN_FOR_ANOTHER : SIGSYS;
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
    ends: endAtI386Door(),
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
