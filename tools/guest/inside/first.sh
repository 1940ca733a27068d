#!/bin/busybox sh
# The guest's first program, out of its initial memory. It puts the machine's files, which are read alone, below a layer of the
# guest's own, and goes on there.
for module in /modules/*; do /bin/busybox insmod "$module"; done
/bin/busybox --install -s /bin
. /setting

mkdir -p /dev /proc /host /layer /new
mount -t devtmpfs dev /dev
mount -t proc proc /proc
if [ -e /dev/ubda ]; then # User-Mode Linux
  mount -t hostfs -o ro host /host
  mount -t ext4 /dev/ubda /layer
else
  mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host
  mount -t ext4 /dev/vda /layer
fi
mkdir -p /layer/system/up /layer/system/work /layer/repo/up /layer/repo/work /layer/tmp /layer/vartmp
chmod 1777 /layer/tmp /layer/vartmp
mount -t overlay -o lowerdir=/host,upperdir=/layer/system/up,workdir=/layer/system/work system /new

# What tests write lies on a plain ext4; the workspace is mounted anew, since it may be below one of these.
mount --bind /layer/tmp /new/tmp
mount --bind /layer/vartmp /new/var/tmp
mkdir -p "/new$REPO"
mount -t overlay -o "lowerdir=/host$REPO,upperdir=/layer/repo/up,workdir=/layer/repo/work" repo "/new$REPO"

mount -t tmpfs run /new/run
mkdir /new/run/guest
cp /setting /work /second.sh /bin/busybox /new/run/guest/
umount /proc
mount --move /dev /new/dev
exec switch_root /new /bin/sh /run/guest/second.sh
