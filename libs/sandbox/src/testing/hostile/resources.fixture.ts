import { MiB, type HostileJob } from './hostile-job.fixture.ts';

export const RESOURCES: readonly HostileJob[] = [
  {
    name: 'forks without end',
    script: () => 'bomb() { bomb | bomb & }; bomb; sleep 1; exit 4',
    limits: { pids: 64 },
    stoppedBy: 'pids-limit',
    step: { timeoutMs: 10_000 },
    ends: {},
    says: /[Cc]annot fork|Resource temporarily/,
  },
  {
    name: 'takes all memory',
    script: () => 'head -c 400M /dev/zero | tail',
    limits: { memoryBytes: 64 * MiB },
    stoppedBy: 'memory-limit',
    ends: { endedBy: 'out_of_memory', oomKilled: true },
  },
  {
    name: 'fills /tmp',
    script: () => 'head -c 32M /dev/zero > /tmp/full && echo filled',
    limits: { tmpBytes: 8 * MiB },
    ends: { exitCode: 1 },
    says: /[Nn]o space left/,
  },
  {
    name: 'fills the disk through its workspace',
    script: () => 'head -c 64M /dev/zero > full; head -c 64M /dev/zero > ~/full; sleep 30; echo filled',
    limits: { diskBytes: 32 * MiB },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'uses up inodes',
    script: () => 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); : > file$i || exit 5; done; sleep 30; echo filled',
    limits: { inodes: 5_000 },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'leaves directories nobody may enter, and files nobody may read',
    script: () => 'mkdir -p a/b/c; echo x > a/b/c/file; chmod 000 a/b/c/file a/b/c a/b a',
    ends: { exitCode: 0 },
  },
];
