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
    // Its /sys tells of devices that only it has.
    underOwnKernel: { script: () => 'ls /' },
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
    underOwnKernel: { says: /no node\n(fuse\n)?$/ },
  },
  {
    name: 'leaves links, pipes and a swap under way for whoever collects its files',
    script: ({ secretFile }) =>
      `mkdir real; echo mine > real/report.xml; ln -s '${secretFile}' link.xml; ln -s / up; mkfifo pipe.xml; ln -s real swap; ` +
      `setsid sh -c "while :; do ln -sfn '$(dirname '${secretFile}')' swap; ln -sfn real swap; done" & exit 0`,
    ends: { endedBy: 'exit', exitCode: 0 },
    collects: '**/*',
    says: /^collected real\/report\.xml: mine$/m,
    never: ({ secret }) => new RegExp(secret),
  },
  {
    name: 'leaves a tree too deep to be named',
    script: () =>
      'name=$(printf "%0200d" 0); i=0; while [ $i -lt 60 ]; do mkdir $name; cd -P $name; i=$((i+1)); done; echo x > file',
    ends: { endedBy: 'exit', exitCode: 0 },
    collects: '**/file',
    // It gives up on the way, and what it has made by then is collected and removed like any other.
    underOwnKernel: { ends: {} },
  },
  {
    name: 'leaves names that are no text, and names that speak to terminals',
    script: () =>
      String.raw`mkdir "$(printf 'a\377\376')" "$(printf 'line\n[delta] ok')"; : > "$(printf 'a\377\376/\033]52;c;eA==\007')"; : > "$(printf -- '-rf')"; echo x > "$(printf '\377')"`,
    ends: { endedBy: 'exit', exitCode: 0 },
    collects: '**/*',
  },
  {
    name: 'marks its files so that nobody can delete them',
    script: () =>
      'mkdir kept; : > kept/file; for f in +i +a; do chattr $f kept/file kept && echo marked; done; echo done',
    ends: { exitCode: 0 },
    says: /^done$/m,
    never: () => /^marked$/m,
  },
  {
    name: 'closes its workspace and its home to everybody',
    script: () => 'echo x > ~/file; echo x > file; chmod 000 ~ .',
    ends: { endedBy: 'exit', exitCode: 0 },
    collects: '**/*',
    next: () => 'echo y > file && cat file',
    says: /^next\ny$/m,
  },
  {
    name: 'makes a file larger than any disk',
    script: () => 'truncate -s 4T huge; ls -s huge',
    ends: { exitCode: 0 },
    collects: 'huge',
    never: () => /collected/,
  },
  {
    name: 'climbs out through descriptors, roots and directories of other processes',
    script: ({ secretFile }) =>
      'set +e; for d in /proc/[0-9]*/fd/* /proc/[0-9]*/root /proc/[0-9]*/cwd /proc/self/fd/*; do ' +
      `for up in . .. ../.. ../../../..; do cat "$d/$up${secretFile}" "$d/$up/etc/shadow"; done; done; echo done`,
    ends: { exitCode: 0 },
    says: /done\n$/,
    never: ({ secret }) => new RegExp(`${secret}|root:`),
  },
  {
    name: 'has its next step begin outside of the workspace',
    script: ({ secretFile }) => `ln -s "$(dirname '${secretFile}')" out; ln -s /proc/1/root up`,
    ends: { exitCode: 0 },
    afterwards: { script: () => 'pwd; cat secret; ls -A root', step: { workdir: 'out' } },
    never: ({ secret }) => new RegExp(secret),
  },
  {
    name: 'plants hooks, settings and programs for whoever comes next',
    script: () =>
      'mkdir -p .git/hooks ~/.config/git ~/bin; for f in .git/hooks/post-checkout .git/config ~/.gitconfig ~/.profile ~/.bashrc ~/.npmrc ~/bin/git /tmp/git /dev/shm/git; ' +
      'do echo "echo planted" > $f; chmod 755 $f; done',
    ends: { exitCode: 0 },
    next: () =>
      'set +e; ls -A . ~; cat .git/config ~/.gitconfig /tmp/git /dev/shm/git; git --version >/dev/null; echo clean',
    says: /next\n\.:\n\n\/home\/job:\n(?:cat: .*\n)*clean\n$/,
    never: () => /planted/,
  },
  {
    name: 'looks for credentials of the machine',
    script: () =>
      'set +e; cat /run/secrets/* /var/run/secrets/*/*/token /etc/ssh/ssh_host_* /root/.ssh/* ~/.ssh/* ~/.docker/config.json ~/.netrc ~/.aws/credentials ' +
      '/etc/kubernetes/* /var/lib/cloud/instance/user-data.txt 2>/dev/null; git config --system --list | grep -i -e credential -e insteadof; ' +
      'env | grep -i -e token -e secret -e password -e _key; echo done',
    ends: { exitCode: 0 },
    says: /^done\n$/,
  },
];
