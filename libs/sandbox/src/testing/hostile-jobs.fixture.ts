import type { FilterArch } from '../seccomp/system-calls.ts';
import { BEHIND_OUTLET } from './hostile/behind-outlet.fixture.ts';
import { FILES } from './hostile/files.fixture.ts';
import type { HostileJob } from './hostile/hostile-job.fixture.ts';
import { KERNEL } from './hostile/kernel.fixture.ts';
import { NETWORK } from './hostile/network.fixture.ts';
import { otherMachines } from './hostile/other-machines.fixture.ts';
import { OUTPUT } from './hostile/output.fixture.ts';
import { PRIVILEGES } from './hostile/privileges.fixture.ts';
import { PROCESSES } from './hostile/processes.fixture.ts';
import { RESOURCES } from './hostile/resources.fixture.ts';

/** Every job of the battery on this machine. */
export const hostileJobs = (arch: FilterArch): readonly HostileJob[] => [
  ...FILES,
  ...PROCESSES,
  ...RESOURCES,
  ...OUTPUT,
  ...NETWORK,
  ...BEHIND_OUTLET,
  ...KERNEL,
  ...PRIVILEGES,
  ...(arch === 'x64' ? otherMachines() : []),
];
