import type { HostileJob } from './hostile-job.fixture.ts';

/** Enough to have done it, also on a slow machine: what has not yet ends at the first signal, and shows nothing. */
const TIME_TO_ACT_MS = 1_500;

export const PROCESSES: readonly HostileJob[] = [
  {
    name: 'looks for processes of the host',
    script: ({ wardenPid }) =>
      `[ ! -e /proc/${wardenPid}/exe ] && [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 9 ] && echo alone`,
    ends: { exitCode: 0 },
    says: /alone/,
  },
  {
    name: 'kills whatever it can reach',
    script: ({ wardenPid }) => `kill -9 ${wardenPid}; kill -9 1; kill -9 -1; echo "$? nothing else died"`,
    ends: { endedBy: 'exit' },
  },
  {
    name: "reads the warden's environment and the launcher's",
    script: () => "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | sort -u",
    ends: {},
    never: ({ environment }) =>
      new RegExp(
        `^(${environment.map((entry) => entry.replaceAll(/[^A-Za-z0-9]/g, String.raw`\$&`)).join('|')})$`,
        'm',
      ),
  },
  {
    name: 'reaches for a process without the filter',
    script: () =>
      'for p in /proc/[0-9]*; do grep -q "^Seccomp:.2" $p/status || ! cat $p/environ >/dev/null 2>&1 || echo "open $p"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'ignores every signal it can',
    script: () => 'trap "" TERM INT HUP QUIT; while :; do sleep 1; done',
    step: { timeoutMs: TIME_TO_ACT_MS },
    ends: { endedBy: 'timeout', signal: 'SIGKILL' },
  },
  {
    name: 'leaves daemons behind, twice forked, in sessions of their own',
    script: () =>
      'for i in 1 2 3; do (setsid sh -c "(setsid nohup sleep 900 &) & exec sleep 900" >/dev/null 2>&1 &); done; exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'leaves a daemon behind that took off its mark',
    script: () => 'env -i setsid sleep 900 >/dev/null 2>&1 & exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'keeps stdout open in a daemon',
    script: () => 'setsid sleep 900 & exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'stops itself',
    script: () => 'kill -STOP $$',
    step: { timeoutMs: 300 },
    ends: { endedBy: 'timeout' },
  },
  {
    name: 'leaves a process that is another one every moment',
    script: () =>
      'printf "#!/bin/sh\\nsetsid /workspace/again >/dev/null 2>&1 &\\n" > again; chmod 755 again; ./again; exit 0',
    ends: { endedBy: 'exit', exitCode: 0 },
  },
  {
    name: 'stops all it can reach, which holds its output',
    script: () => 'sleep 900 & sleep 900 & kill -STOP -1; kill -STOP $$',
    step: { timeoutMs: TIME_TO_ACT_MS },
    ends: { endedBy: 'timeout', signal: 'SIGKILL' },
  },
];
