import { MiB, type HostileJob } from './hostile-job.fixture.ts';

export const OUTPUT: readonly HostileJob[] = [
  {
    name: 'floods the log',
    script: () => 'head -c 64M /dev/zero',
    limits: { outputBytes: MiB },
    ends: { exitCode: 0, outputTruncated: true, outputBytes: 64 * MiB },
  },
];
