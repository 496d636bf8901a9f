#!/usr/bin/env bash
# Stops what up.sh started and removes what it made, images and volumes too. Built programs stay in ~/.cache/kvorum-kube.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
need_root

stop() { # signal, names
  local signal=$1 name
  shift
  for name in "$@"; do ! runs "$name" || kill "-$signal" "$(cat "$RUN/$name.pid")"; done
}

ended() {
  local name
  for name in "$@"; do ! runs "$name" || return 1; done
}

stop_all() { # names: they have 5 s
  stop TERM "$@"
  for _ in $(seq 50); do if ended "$@"; then return; fi; sleep 0.1; done
  stop KILL "$@"
}

# Containers that nobody looks after any more: by containerd, so that each takes its own leavings along; what is left, by the socket that it
# knows and the cgroup that it is in.
end_pods() {
  if runs containerd; then
    local ctr=(timeout 20 ctr --address "$RUN/containerd.sock" --namespace k8s.io)
    "${ctr[@]}" tasks ls --quiet | xargs --no-run-if-empty --max-args 1 --max-procs 8 "${ctr[@]}" tasks delete --force >/dev/null 2>&1
  fi
  local left
  left=$(pgrep --full -- "containerd-shim-runc-v2 .*-address $RUN/containerd.sock"
    cgroup_roots | while read -r root; do find "$root$CGROUP" -name cgroup.procs -exec cat {} + 2>/dev/null; done)
  # shellcheck disable=SC2086 # one word each
  [ -z "$left" ] || kill -KILL $left 2>/dev/null
}

unmount_all() {
  awk -v run="$RUN/" -v state="$STATE/" 'index($2, run) == 1 || index($2, state) == 1 {print $2}' /proc/self/mounts | sort -r |
    while read -r path; do umount --lazy "$path"; done
}

forget() {
  [ ! -f "$RUN/sysctl" ] || sysctl --quiet --load "$RUN/sysctl"
  [ "$(readlink $VOLUMES_LINK)" != "$STATE/volumes" ] || rm $VOLUMES_LINK
  [ ! -f "$RUN/made" ] || while read -r directory; do rm -rf "$directory"; done <"$RUN/made"
  [ ! -d /var/log/containers ] || find /var/log/containers -lname "$STATE/*" -delete
  rm -rf /var/lib/cni/results/"$NETWORK"-*
  cgroup_roots | while read -r root; do find "$root$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null; done
  rm -rf "$RUN" "$STATE"
}

stop_all volumes kubelet kube-proxy kube-scheduler kube-controller-manager coredns
end_pods
stop_all kube-apiserver etcd containerd
unmount_all
[ ! -e "/run/netns/$NETWORK" ] || ip netns del "$NETWORK"
forget
say "the cluster is gone"
