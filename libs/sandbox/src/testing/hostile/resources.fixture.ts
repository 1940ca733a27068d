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
    name: 'takes more of the disk than it may before anybody can look',
    script: () => 'fallocate -l 1G full && echo filled',
    limits: { diskBytes: 64 * MiB },
    stoppedBy: 'disk-limit',
    ends: { exitCode: 1 },
    says: /[Nn]o space left/,
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
  {
    name: 'fills shared memory',
    script: () => 'head -c 300M /dev/zero > /dev/shm/full && echo filled',
    ends: { exitCode: 1 },
    says: /[Nn]o space left/,
  },
  {
    name: 'fills the disk through a file that it has deleted',
    script: () => 'exec 5> gone; rm gone; head -c 64M /dev/zero >&5; sleep 30; echo filled',
    limits: { diskBytes: 32 * MiB },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'fills the disk through a program that it has deleted while it runs',
    script: () =>
      'cp -L /bin/sleep sleep; head -c 64M /dev/zero >> sleep; ./sleep 30 & ' +
      'until readlink /proc/$!/exe | grep -q sleep; do :; done; rm sleep; wait; echo filled',
    limits: { diskBytes: 32 * MiB },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'fills the disk below names that are too long',
    script: () =>
      'name=$(printf "%0200d" 0); i=0; while [ $i -lt 60 ]; do mkdir $name; cd -P $name; i=$((i+1)); done; ' +
      'head -c 64M /dev/zero > full; sleep 30; echo filled',
    limits: { diskBytes: 32 * MiB },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'fills the disk below a name that is no text',
    script: () =>
      String.raw`mkdir "$(printf 'a\377')"; head -c 64M /dev/zero > "$(printf 'a\377/full')"; sleep 30; echo filled`,
    limits: { diskBytes: 32 * MiB },
    ends: {},
    never: () => /filled/,
  },
  {
    name: 'leaves shared memory, semaphores and queues for the next job',
    script: () => 'ipcmk -M 4096 -p 666; ipcmk -S 4 -p 666; ipcmk -Q -p 666; ipcs | grep -c 0x',
    ends: { exitCode: 0 },
    says: /^3$/m,
    // It shows one of the three kinds.
    underOwnKernel: { says: /^1$/m },
    next: () => 'ipcs | grep 0x || echo none',
    never: () => /next\n0x/,
  },
];
