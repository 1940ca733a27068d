import type { HostileJob } from './hostile-job.fixture.ts';

export const PRIVILEGES: readonly HostileJob[] = [
  {
    name: 'gains rights through set-user-id programs',
    script: () => 'su -c id </dev/null || sudo -n id || { cp /usr/bin/id id; chmod 6755 id; ./id -u; }',
    ends: { exitCode: 0 },
    never: () => /^0$|uid=0/m,
  },
  {
    // What the loader writes is written as whoever it loads a program for.
    name: 'has whoever starts its step load and write what its variables name',
    step: { env: { LD_DEBUG: 'files', LD_DEBUG_OUTPUT: '/tmp/loaded', LD_PRELOAD: '/workspace/none.so', UID: '0' } },
    script: () => 'for f in /tmp/loaded.*; do [ ! -e "$f" ] || [ -O "$f" ] || echo "another made $f"; done; echo done',
    ends: { exitCode: 0 },
    never: () => /another made/,
    says: /^done$/m,
  },
  {
    name: 'makes a user namespace with what is installed',
    script: () => 'unshare -U -r id || unshare -m true || bwrap --dev-bind / / true',
    ends: {},
    never: () => /uid=0/,
  },
  {
    name: 'reads kernel secrets and changes kernel settings',
    script: () =>
      'for f in kcore keys key-users kallsyms kmsg timer_list slabinfo vmallocinfo; do ' +
      '[ -z "$(head -c 1 /proc/$f 2>/dev/null)" ] || echo "read $f"; done; ' +
      'for f in sysrq-trigger sys/kernel/core_pattern sys/kernel/hostname sys/vm/drop_caches; do ' +
      '(echo b > /proc/$f) 2>/dev/null && echo "wrote $f"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'dumps core where a host program would pick it up',
    script: () => 'ulimit -c unlimited || true; ulimit -c',
    ends: { exitCode: 0 },
    says: /^0$/m,
  },
];
