#!/usr/bin/env bash
# Builds the image with docker, podman or buildah, whichever is there and works, and prints its size.
#   e2e/kube/build-image.sh [NAME]        NAME is localhost/kvorum:dev where none is given
# In the environment: TOOL=docker|podman|buildah chooses; BASE and BUILD_BASE name the images to start from. Without them docker and podman start
# from what the Containerfile says, and where they cannot get that, or are not there, buildah does from those that base-image.sh makes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
readonly NAME=${1:-$IMAGE} SIZE_MAX_BYTES=300000000

# Whether `$1`, docker or podman, has the base or can pull it.
has_base() {
  local base=${BASE:-$(sed -n 's/^ARG BASE=//p' "$REPO/Containerfile")}
  "$1" image inspect "$base" >/dev/null 2>&1 || "$1" pull --quiet "$base" >/dev/null 2>&1
}

choose_tool() {
  if docker info >/dev/null 2>&1 && has_base docker; then echo docker
  elif command -v podman >/dev/null && has_base podman; then echo podman
  else echo buildah; fi
}

build() { # how the tool is called
  local arguments=(--file "$REPO/Containerfile" --tag "$NAME" --build-arg "REVISION=$(git -C "$REPO" rev-parse HEAD 2>/dev/null || echo unknown)")
  [ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
  [ -z "${BUILD_BASE:-}" ] || arguments+=(--build-arg "BUILD_BASE=$BUILD_BASE")
  # An authority of this machine's own that Node knows by this variable is needed in the build as well.
  [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || arguments+=(--secret "id=ca,src=$NODE_EXTRA_CA_CERTS")
  "$@" "${arguments[@]}" "$REPO" >&2
}

size_bytes() {
  case $tool in
    buildah) buildah images --format '{{.Size}}' "$NAME" | head -n 1 | tr -d ' B' | tr k K | numfmt --from=si ;;
    *) "$tool" image inspect --format '{{.Size}}' "$NAME" ;;
  esac
}

tool=${TOOL:-$(choose_tool)}
case $tool in
  docker | podman) build "$tool" build ;;
  buildah)
    need_root
    need_debian buildah
    if [ -z "${BASE:-}" ]; then
      BASE=$BASE_IMAGE BUILD_BASE=$BUILD_IMAGE
      buildah inspect --type image "$BUILD_IMAGE" >/dev/null 2>&1 || "$here/base-image.sh"
    fi
    build buildah bud --isolation chroot --layers
    ;;
  *) die "TOOL is '$tool'; it can be docker, podman or buildah" ;;
esac
bytes=$(size_bytes)
printf '%s: %s\n' "$NAME" "$(numfmt --to=si --suffix=B --format=%.0f "$bytes")"
[ "$bytes" -lt $SIZE_MAX_BYTES ] || die "that is more than $(numfmt --to=si --suffix=B $SIZE_MAX_BYTES): see what image/trim.ts leaves, and the base"
