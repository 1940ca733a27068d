# The guest's first program once it has a root: mounts what an init mounts, does the work, says what that ended with, and powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
. /run/guest/setting

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
chmod 755 /run
ln -sf /proc/self/fd /dev/fd
echo delta-guest >/proc/sys/kernel/hostname
printf '127.0.0.1 localhost delta-guest\n::1 localhost\n' >/etc/hosts
/run/guest/busybox ip link set lo up

tree=/sys/fs/cgroup
if [ "$CGROUPS" = 2 ]; then
  mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot cgroup2 $tree
else
  mount -t tmpfs -o mode=755 cgroups $tree
  mkdir $tree/unified
  mount -t cgroup2 cgroup2 $tree/unified
  for controllers in memory pids cpu,cpuacct blkio cpuset devices freezer; do
    mkdir "$tree/$controllers"
    mount -t cgroup -o "$controllers" cgroup "$tree/$controllers"
  done
fi

# A unit with Delegate=yes: its group is its user's, and has what the one above it hands down.
group=$tree
if [ "$PLACE" != top ]; then
  group=$tree/system.slice/delta.service
  mkdir -p $group
  for above in $tree $tree/system.slice; do echo '+cpu +io +memory +pids' >$above/cgroup.subtree_control; done
fi
become=
if [ "$PLACE" = user-service ]; then
  become="setpriv --reuid 65534 --regid 65534 --clear-groups"
  chown 65534:65534 $group
  for file in $(cat /sys/kernel/cgroup/delegate); do [ ! -e $group/$file ] || chown 65534:65534 $group/$file; done
  # Homes are closed to others, and toolchains lie in them.
  for way in $OPEN; do
    while [ "$way" != / ]; do chmod a+rx "$way" && way=$(dirname "$way"); done
  done
fi

say() { printf '\ndelta-guest: %s\n' "$1" >/dev/ttyS1; }

say 'up'
{
  (
    [ "$CGROUPS" != 2 ] || echo 0 >$group/cgroup.procs
    exec $become sh /run/guest/work
  )
  echo $? >/run/guest/code
} </dev/null 2>&1 | cat >/dev/ttyS1
say "ended with $(cat /run/guest/code)"
echo o >/proc/sysrq-trigger
sleep 60
