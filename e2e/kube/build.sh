#!/usr/bin/env bash
# Builds what the cluster runs, from Go modules, once: 5 to 10 minutes on two cores. It stays in ~/.cache/kvorum-kube/VERSION.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
readonly COMPONENTS=(etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl)
readonly GO_FLAGS=(-trimpath -ldflags)

go_build() { # directory, program, further flags of the linker
  [ ! -x "$BIN/$2" ] || return 0
  need_go
  say "building $2 (once)"
  (cd "$here/$1" && nice -n 10 go build "${GO_FLAGS[@]}" "-s -w ${3:-}" -o "$BIN/$2.new" . && mv "$BIN/$2.new" "$BIN/$2")
}

# Kubernetes refuses to work with a version that it does not know of itself.
version_flags() {
  local component=k8s.io/component-base/version client=k8s.io/client-go/pkg/version
  printf -- '-X %s.gitVersion=v%s ' "$component" "$KUBE" "$client" "$KUBE"
  printf -- '-X %s.gitMajor=%s -X %s.gitMinor=%s' "$component" "${KUBE%%.*}" "$component" "$(cut -d. -f2 <<<"$KUBE")"
}

mkdir -p "$BIN"
go_build . kube "$(version_flags)"
go_build dns coredns
for component in "${COMPONENTS[@]}"; do ln -sf kube "$BIN/$component"; done
[ -x "$BIN/pause" ] || gcc -Os -static -o "$BIN/pause" "$here/pause/pause.c"
