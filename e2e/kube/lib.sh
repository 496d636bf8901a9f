# shellcheck shell=bash
# What the scripts of this directory share: where things are, and what must be there. To be sourced, after `set -euo pipefail`.
# shellcheck disable=SC2034 # the scripts that source it use these
readonly KUBE=1.34.4 HELM=v3.22.0
readonly DEBIAN=bookworm
readonly BASE_IMAGE=localhost/kvorum-base:26 BUILD_IMAGE=localhost/kvorum-build:26 IMAGE=localhost/kvorum:dev
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly REPO
# Built programs stay; all else is gone with `down`: RUN holds sockets, keys, logs and process ids, STATE what etcd, containerd and
# kubelet keep, images and volumes too.
readonly BIN=${KVORUM_KUBE_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/kvorum-kube/$KUBE}
readonly RUN=/run/kvorum-kube STATE=/var/lib/kvorum-kube NETWORK=kvorum-kube
readonly KUBECONFIG_FILE=$RUN/admin.kubeconfig

say() { printf '%s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 2
}

need_root() { [ "$(id -u)" = 0 ] || die "root is needed, for namespaces, mounts and cgroups: run it with sudo, or use minikube or kind instead"; }

# Installs the Debian packages that are missing.
need_debian() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "these are needed: ${missing[*]} (as Debian names them); install them, or run this on Debian 12"
  say "installing ${missing[*]}"
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
    die "apt-get could not install ${missing[*]}: try apt-get install ${missing[*]} and read what it says"
  fi
}

need_go() {
  command -v go >/dev/null || die "Go 1.24 or newer is needed, to build Kubernetes once: install it from go.dev/dl, or by apt-get install -t bookworm-backports golang-go"
  local version
  version=$(go env GOVERSION)
  case $version in
    go1.2[4-9]* | go1.[3-9][0-9]* | go[2-9]*) ;;
    *) die "Go 1.24 or newer is needed, and 'go' is $version: install it from go.dev/dl, or by apt-get install -t bookworm-backports golang-go" ;;
  esac
}

# In the network of the cluster. `ip netns exec` would hide the mounts of cgroups.
in_network() { nsenter --net="/run/netns/$NETWORK" "$@"; }
kubectl_here() { in_network env KUBECONFIG="$KUBECONFIG_FILE" "$BIN/kubectl" "$@"; }
is_up() { [ -S "$RUN/containerd.sock" ] && kubectl_here get --raw /readyz >/dev/null 2>&1; }
need_up() { is_up || die "the cluster does not run: ./dev.sh k8s up starts it"; }
has_image() { ctr --address "$RUN/containerd.sock" --namespace k8s.io images ls --quiet | grep -qxF -- "$1"; }
# One that has ended counts as gone, whether or not somebody took note of its end.
runs() { [ -f "$RUN/$1.pid" ] && grep -q '^State:.[^Z]' "/proc/$(cat "$RUN/$1.pid")/status" 2>/dev/null; }

readonly CGROUP=/kvorum-kube
readonly VOLUMES_LINK=/tmp/hostpath_pv # the host-path provisioner of Kubernetes knows no other place
# Where kubelet and containerd write besides, whatever they are told: `up` notes which of these it makes.
readonly FIXED_PLACES=(/var/lib/kubelet /var/lib/cni /var/log/containers /run/containerd)
readonly KERNEL_SETTINGS=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes)
cgroup_roots() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d; fi
}
