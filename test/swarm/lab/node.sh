#!/bin/bash
# PID 1 of a lab node, in namespaces of its own: node.sh NAME HOME CGROUP. Makes the node's view of the file system,
# then keeps sshd and dockerd running. A shell, because PID 1 must reap every orphan, and costs no memory.
set -euo pipefail
name=$1 home=$2 group=$3 root=$2/root

hostname "$name"
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$home/upper,workdir=$home/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/run/sshd" "$root/run/lab"
mount --bind "$home/run" "$root/run/lab"
mount --bind "$home/home" "$root/root"
mount --bind "$home/docker" "$root/var/lib/docker" # overlay2 needs a real file system
if [ -d "$home/disk" ]; then
  mount --bind "$home/disk" "$root/var/lib/longshore"
else
  mount -o loop "$home/disk.img" "$root/var/lib/longshore"
fi
mount -t tmpfs tmpfs "$(dirname "$root$home")" # other nodes' keys and disks are no business of this one
cd "$root"
pivot_root . mnt
umount -l /mnt
cd /

# Its cable comes from outside, and an engine that finds its address missing leaves the swarm for good.
until [ -e /run/lab/plugged ]; do sleep 0.02; done

# As a service manager would: started again after a while, unless it was told to stay off.
keep() { # NAME DELAY COMMAND...
  local program=$1 delay=$2
  shift 2
  set +e
  while :; do
    while [ -e "/run/lab/$program.off" ]; do sleep 0.1; done
    "$@" >>"/run/lab/$program.log" 2>&1 &
    echo $! >"/run/lab/$program.pid"
    wait $!
    [ -e "/run/lab/$program.off" ] || sleep "$delay"
  done
}
keep sshd 1 /usr/sbin/sshd -D -e &
keep dockerd 2 /usr/sbin/dockerd --cgroup-parent "/$group" --exec-opt native.cgroupdriver=cgroupfs \
  -H unix:///var/run/docker.sock -H unix:///run/lab/docker.sock &
while :; do wait -n || true; done
