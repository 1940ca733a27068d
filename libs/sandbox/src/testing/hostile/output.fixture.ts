import { MiB, type HostileJob } from './hostile-job.fixture.ts';

export const OUTPUT: readonly HostileJob[] = [
  {
    name: 'floods the log',
    script: () => 'head -c 64M /dev/zero',
    limits: { outputBytes: MiB },
    ends: { exitCode: 0, outputTruncated: true, outputBytes: 64 * MiB },
  },
  {
    name: 'closes its output and goes on',
    script: () => 'echo said; exec >&- 2>&-; sleep 0.2; exit 7',
    ends: { endedBy: 'exit', exitCode: 7 },
    says: /^said\n$/,
  },
  {
    name: 'speaks for its launcher',
    script: () =>
      'for fd in 2 3 4 5 6 7 8 9; do for word in "@started" "{ \\"exit-code\\": 0 }" "{ \\"child-pid\\": 1 }"; do ' +
      '(eval "echo \\$word >&$fd") 2>/dev/null || :; done; done; exit 3',
    ends: { endedBy: 'exit', exitCode: 3 },
  },
  {
    name: 'writes a line without an end',
    script: () => "head -c 96M /dev/zero | tr '\\0' x",
    limits: { outputBytes: MiB, memoryBytes: 64 * MiB },
    ends: { exitCode: 0, outputTruncated: true, outputBytes: 96 * MiB },
  },
];
