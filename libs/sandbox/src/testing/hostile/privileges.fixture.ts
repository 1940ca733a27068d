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
  {
    name: 'links to programs that run as root',
    script: () => 'for p in su passwd mount; do ln /usr/bin/$p $p && ls -l $p && echo linked; done; echo done',
    ends: { exitCode: 0 },
    says: /done\n$/,
    never: () => /^linked$/m,
  },
  {
    name: 'has the kernel start a program on the host',
    script: () =>
      'for f in /proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sys/fs/binfmt_misc/register /sys/kernel/uevent_helper ' +
      '/sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/*/notify_on_release; do ' +
      '(echo /workspace/evil > $f) 2>/dev/null && echo "wrote $f"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'leaves its control group',
    script: () =>
      'for f in $(find / -name cgroup.procs -o -name tasks -path "*cgroup*" 2>/dev/null | head -n 50); do ' +
      '(echo $$ > $f) 2>/dev/null && echo "moved to $f"; done; mkdir /sys/fs/cgroup/own && echo made; echo done',
    ends: { exitCode: 0 },
    says: /done\n$/,
    never: () => /^moved|^made/m,
  },
  {
    name: 'maps user ids of the host into its own',
    script: () =>
      'for f in uid_map gid_map setgroups projid_map; do for p in self 1 $PPID; do ' +
      '(echo "0 0 1" > /proc/$p/$f) 2>/dev/null && echo "wrote $p/$f"; done; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'puts itself before all others',
    script: () =>
      '(echo -1000 > /proc/self/oom_score_adj) 2>/dev/null && echo spared; chrt -f 50 true 2>/dev/null && echo realtime; ' +
      '[ "$(nice -n -10 nice 2>/dev/null)" = -10 ] && echo nice; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
    // Those numbers are its own: they are asked neither when the host chooses whom to kill nor whom to run.
    underOwnKernel: { says: /^(spared\n)?(nice\n)?done\n$/ },
  },
];
