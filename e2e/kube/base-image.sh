#!/usr/bin/env bash
# Makes the two images that the Containerfile starts from, where no registry of images can be reached: libc and the libraries of Node
# from Debian's packages, Node 26 from the npm package `node`. kvorum-base runs the store and has no shell; kvorum-build has npm besides.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
readonly PACKAGES=libc6,libstdc++6,libatomic1,libgcc-s1,tzdata,netbase
readonly NPM_VERSION=11.19.1

need_root
need_debian mmdebstrap buildah
"$REPO/dev.sh" help >/dev/null
node=$REPO/node_modules/node/bin/node
[ -x "$node" ] || die "node_modules/node is missing: run ./dev.sh status once, which installs it"
say "making $BASE_IMAGE and $BUILD_IMAGE (once; Debian packages, about a minute)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debian_files() {
  mmdebstrap --quiet --mode=root --variant=extract --include=$PACKAGES \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' "$DEBIAN" "$work/debian.tar"
}

files_of_people() { # names for the ids, which tools ask for
  printf 'root:x:0:0:root:/root:/sbin/nologin\nkvorum:x:1000:1000:kvorum:/var/lib/kvorum:/sbin/nologin\n' >"$work/passwd"
  printf 'root:x:0:\nkvorum:x:1000:\n' >"$work/group"
}

# npm is a script of Node's; its first line would ask for /usr/bin/env, which is not there.
npm_files() {
  (cd "$work" && npm pack --silent "npm@$NPM_VERSION" >/dev/null)
  mkdir "$work/npm" && tar -xzf "$work/npm-$NPM_VERSION.tgz" -C "$work/npm" --strip-components 1
  # shellcheck disable=SC2016
  printf '#!/usr/local/bin/node\nrequire("/usr/local/lib/npm/bin/npm-cli.js");\n' >"$work/npm-command"
}

debian_files
files_of_people
npm_files
container=$(buildah from scratch)
buildah add --quiet "$container" "$work/debian.tar" / >/dev/null
buildah copy --quiet "$container" "$work/passwd" "$work/group" /etc/ >/dev/null
buildah copy --quiet --chmod 755 "$container" "$node" /usr/local/bin/node >/dev/null
buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
buildah commit --quiet "$container" "$BASE_IMAGE" >/dev/null
buildah copy --quiet "$container" "$work/npm" /usr/local/lib/npm >/dev/null
buildah copy --quiet --chmod 755 "$container" "$work/npm-command" /usr/local/bin/npm >/dev/null
buildah commit --quiet --rm "$container" "$BUILD_IMAGE" >/dev/null
