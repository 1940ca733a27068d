import type { HostileJob } from './hostile-job.fixture.ts';

export const FILES: readonly HostileJob[] = [
  {
    name: 'reads the password file of the host',
    script: () => 'cat /etc/shadow /etc/gshadow /etc/sudoers; exit 9',
    ends: { exitCode: 1 },
    never: () => /root:/,
  },
  {
    name: "reads the warden's files",
    script: ({ secretFile }) =>
      `cat '${secretFile}' || grep -rs . /proc/*/root/'${secretFile}' || ls -R /root /var/lib /srv`,
    ends: { exitCode: 2 },
    never: ({ secret }) => new RegExp(secret),
  },
  {
    name: 'looks for host directories at the root',
    // A container always has a /sys, with nothing in it.
    script: () => 'ls /; [ ! -e /sys ] || ls -A /sys',
    ends: { exitCode: 0 },
    never: () => /root|boot|srv|mnt|media|kernel|devices|block/,
  },
  {
    name: 'writes outside of its workspace and home',
    script: () =>
      'for f in /x /usr/x /usr/bin/x /etc/x /etc/passwd /home/x /dev/x /run/x /var/x /proc/x; do ' +
      '(echo x > $f) 2>/dev/null && echo "wrote $f"; done; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
  {
    name: 'remounts what is read-only',
    script: () =>
      'mount -o remount,rw /usr && echo mounted; mount -t tmpfs none /workspace && echo mounted; ' +
      'umount /proc/sys && echo unmounted; umount -l /workspace && echo unmounted; echo done',
    ends: { exitCode: 0 },
    says: /done\n$/,
    never: () => /^(un)?mounted$/m,
  },
  {
    name: 'makes device nodes and reads devices',
    script: () =>
      'mknod disk b 8 0 || echo "no node"; for d in mem kmsg kvm sda vda console fuse; do [ ! -e /dev/$d ] || echo $d; done',
    ends: { exitCode: 0 },
    says: /no node\n$/,
  },
];
