#!/usr/bin/env bash
# Gives the node an image that was built by docker, podman or buildah: load-image.sh localhost/kvorum:dev
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
readonly NAME=${1:?say which image: load-image.sh localhost/kvorum:dev}
need_root
[ -S "$RUN/containerd.sock" ] || die "the cluster does not run: ./dev.sh k8s up starts it"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if buildah inspect --type image "$NAME" >/dev/null 2>&1; then # podman keeps its images in the same place
  buildah push --quiet "$NAME" "docker-archive:$work/image.tar:$NAME"
else
  docker save --output "$work/image.tar" "$NAME" || die "neither buildah nor docker has $NAME: e2e/kube/build-image.sh builds it"
fi
ctr --address "$RUN/containerd.sock" --namespace k8s.io images import "$work/image.tar" >/dev/null
