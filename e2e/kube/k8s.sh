#!/usr/bin/env bash
# ./dev.sh k8s: a Kubernetes, and Kvorum on it.
set -euo pipefail
shopt -s inherit_errexit # what fails in $(...) fails
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
# Which cluster `up` chose, and how to reach it: all other commands keep to it, whatever the current context is by then.
readonly CHOICE=$REPO/.kvorum/kube CONFIG=$REPO/.kvorum/kubeconfig GIVEN=$REPO/.kvorum/kube-image
readonly IMAGE_SOURCES=(Containerfile .containerignore package.json package-lock.json image client store cli operator)
readonly PROFILE=kvorum OPERATOR_NAMESPACE=kvorum-system NAMESPACE=kvorum CLUSTER=demo RELEASE=kvorum
readonly HTTP_PORT=7400 WAIT=300s WATCH_SECONDS=1

usage() {
  cat <<'TEXT'
./dev.sh k8s COMMAND

  up [--current | --own]    a cluster: minikube or kind where one is installed, else a Kubernetes of one node that is built and started
                            here (Debian, root and Go; --own takes it in any case). --current takes the cluster of the current
                            context, once and for all commands
  deploy [N]                builds the image, gives it to the cluster, installs the operator (by helm, or plain manifests) and a
                            KVCluster of N members (3), and waits until it is ready. Again: upgrades both. On a cluster of --current
                            KVORUM_IMAGE names an image that it can pull. --watch: and again whenever the image's sources change, until Ctrl-C
  image                     only the first part of that: builds the image where its sources have changed, and prints its name
  operator                  the first two parts: the image, and the operator of it; prints the name of the image
  status                    the KVCluster, its pods and a verdict; exit code 0 only if all is well
  logs [NAME] [-f]          of the operator, of a pod such as demo-0, or of all
  console-port [PORT]       passes http://127.0.0.1:PORT (7400) on to the store until Ctrl-C
  run COMMAND...            a command with the cluster's KUBECONFIG, in its network: ./dev.sh k8s run kubectl get kvc -A
  down                      removes the cluster with all that is on it; of a cluster of --current only what `deploy` installed
TEXT
}

chosen() { if [ -f "$CHOICE" ]; then cat "$CHOICE"; fi; }
need_cluster() { [ -n "$(chosen)" ] || die "no cluster was chosen: ./dev.sh k8s up first"; }

in_cluster() {
  case $(chosen) in
    own) "$here/run.sh" "$@" ;;
    *) env KUBECONFIG="$CONFIG" PATH="$REPO/.kvorum/bin:$PATH" "$@" ;;
  esac
}
kube() { in_cluster kubectl "$@"; }
kvc() { kube --namespace $NAMESPACE get kvcluster $CLUSTER --ignore-not-found "$@" 2>/dev/null; }

choose() { # option
  case ${1:-} in
    --current) echo current ;;
    --own) echo own ;;
    '') if [ -n "$(chosen)" ]; then chosen
        elif command -v minikube >/dev/null; then echo minikube
        elif command -v kind >/dev/null; then echo kind
        else echo own; fi ;;
    *) die "up: unknown option $1; it can be --current or --own" ;;
  esac
}

cmd_up() {
  local choice
  choice=$(choose "${1:-}")
  [ -z "$(chosen)" ] || [ "$(chosen)" = "$choice" ] || die "a cluster of '$(chosen)' is in use: ./dev.sh k8s down first"
  mkdir -p "$REPO/.kvorum"
  case $choice in
    own) "$here/up.sh" ;;
    minikube) KUBECONFIG=$CONFIG minikube start --profile $PROFILE --keep-context=false >&2 ;;
    kind) kind get clusters 2>/dev/null | grep -qx $PROFILE || kind create cluster --name $PROFILE --kubeconfig "$CONFIG" --wait $WAIT >&2 ;;
    current)
      command -v kubectl >/dev/null || die "kubectl is missing: install it, or take ./dev.sh k8s up --own"
      (umask 077 && kubectl config view --minify --flatten --raw >"$CONFIG") || die "there is no current context: kubectl config use-context NAME sets it"
      ;;
  esac
  echo "$choice" >"$CHOICE"
  kube get nodes
}

cmd_down() {
  case $(chosen) in
    own | '') "$here/down.sh" ;;
    minikube) minikube delete --profile $PROFILE >&2 ;;
    kind) kind delete cluster --name $PROFILE >&2 ;;
    current) remove_deployed ;;
  esac
  rm -f "$CHOICE" "$CONFIG" "$GIVEN"
}

remove_deployed() {
  kube delete namespace $NAMESPACE --ignore-not-found >&2 # the operator is still there, and sees to its KVCluster
  if in_cluster helm --namespace $OPERATOR_NAMESPACE uninstall $RELEASE --ignore-not-found 2>/dev/null; then
    kube delete customresourcedefinition kvclusters.kvorum.dev --ignore-not-found >&2
  fi
  kube delete namespace $OPERATOR_NAMESPACE --ignore-not-found >&2
}

# A name of its own for each state of what the image is made of: Kubernetes takes a name that it knows for an image that it has, and a name
# that stays restarts no pod.
image_name() {
  local state
  state=$(cd "$REPO" && {
    git ls-files --stage -- "${IMAGE_SOURCES[@]}"
    git diff -- "${IMAGE_SOURCES[@]}"
    git ls-files --others --exclude-standard -z -- "${IMAGE_SOURCES[@]}" | xargs --null --no-run-if-empty cat
  } | sha256sum | cut -c 1-12)
  echo "localhost/kvorum:$state"
}

# Builds the image where its sources have changed, gives it to the cluster, and prints its name.
cmd_image() {
  need_cluster
  local image=${KVORUM_IMAGE:-}
  if [ -z "$image" ]; then
    [ "$(chosen)" != current ] || die "build an image (e2e/kube/build-image.sh NAME), push it where the cluster finds it, and name it: KVORUM_IMAGE=NAME"
    image=$(image_name)
    if [ ! -f "$GIVEN" ] || [ "$(cat "$GIVEN")" != "$image" ]; then
      "$here/build-image.sh" "$image" >&2
      give_image "$image" >&2
      echo "$image" >"$GIVEN"
    fi
  fi
  echo "$image"
}

give_image() { # name
  case $(chosen) in
    own) "$here/load-image.sh" "$1" ;;
    minikube) minikube --profile $PROFILE image load "$1" ;;
    kind) kind load docker-image --name $PROFILE "$1" ;;
    current) ;;
  esac
}

# Another name of an image in the cluster, which is another image to Kubernetes.
cmd_second_name() { # name, second name
  case $(chosen) in
    own) ctr --address "$RUN/containerd.sock" --namespace k8s.io images tag --force "$1" "$2" >/dev/null ;;
    minikube) minikube --profile $PROFILE image tag "$1" "$2" ;;
    kind) docker tag "$1" "$2" && kind load docker-image --name $PROFILE "$2" ;;
    current) die "push $1 under the name $2 too, or name another one: KVORUM_IMAGE_NEXT=NAME" ;;
  esac
}

have_helm() {
  PATH=$REPO/.kvorum/bin:$PATH command -v helm >/dev/null && return
  command -v go >/dev/null || return
  say "building helm (once)"
  "$REPO/charts/install-helm.sh" >&2
}

install_operator() { # image
  local repository=${1%:*} tag=${1##*:}
  if have_helm; then
    in_cluster helm upgrade --install $RELEASE "$REPO/charts/kvorum" --namespace $OPERATOR_NAMESPACE --create-namespace \
      --set "image.repository=$repository,image.tag=$tag" --wait --timeout $WAIT >&2
  else
    say "neither helm nor Go is here: installing charts/manifests"
    sed "s#image: \"ghcr.io/kvorum/kvorum:[^\"]*\"#image: \"$1\"#" "$REPO/charts/manifests/kvorum-operator.yaml" |
      kube apply --server-side --filename - >&2
    kube --namespace $OPERATOR_NAMESPACE wait --for=condition=Available deployment --all --timeout=$WAIT >&2
  fi
}

cmd_operator() {
  local image
  image=$(cmd_image)
  install_operator "$image"
  echo "$image"
}

apply_cluster() { # members, image
  kube create namespace $NAMESPACE --dry-run=client --output yaml | kube apply --filename - >/dev/null
  kube apply --filename - >&2 <<YAML
apiVersion: kvorum.dev/v1alpha1
kind: KVCluster
metadata: {name: $CLUSTER, namespace: $NAMESPACE}
spec:
  replicas: $1
  replicationFactor: $(($1 < 3 ? $1 : 3))
  image: {repository: ${2%:*}, tag: "${2##*:}"}
  storage: {size: 1Gi}
YAML
}

# Where that takes too long, status says what for.
settle() { kube --namespace $NAMESPACE wait --for="$1" "kvcluster/$CLUSTER" --timeout=$WAIT >/dev/null || true; }

cmd_deploy() {
  need_cluster
  if [ "${1:-}" = --watch ] || [ "${2:-}" = --watch ]; then watch_and_deploy "${1/#--watch/${2:-}}"; return; fi
  local members=${1:-3} image
  [[ $members =~ ^[1-9][0-9]?$ ]] || die "deploy: '$members' is no number of members; give 1 to 99"
  image=$(cmd_operator)
  apply_cluster "$members" "$image"
  settle "jsonpath={.status.observedGeneration}=$(kvc --output 'jsonpath={.metadata.generation}')"
  settle condition=Ready
  settle condition=Progressing=False
  cmd_status
}

# By looking, which costs little: notices of the file system miss what git does. As many members as there are by then: scaling goes on beside it.
watch_and_deploy() { # members
  [ -z "${KVORUM_IMAGE:-}" ] || die "deploy --watch builds the image itself: unset KVORUM_IMAGE"
  local members=$1 deployed='' image
  while true; do
    image=$(image_name)
    if [ "$image" != "$deployed" ]; then
      deployed=$image
      "${BASH_SOURCE[0]}" deploy ${members:+"$members"} || say "that did not work; the next change is the next try"
      members=$(kvc --output 'jsonpath={.spec.replicas}') || members=$1
      say "watching ${IMAGE_SOURCES[*]}; Ctrl-C ends it"
    fi
    sleep $WATCH_SECONDS
  done
}

cmd_status() {
  need_cluster
  kube get --raw /readyz >/dev/null 2>&1 || { echo "not well: the cluster ($(chosen)) does not answer; ./dev.sh k8s up starts it"; return 1; }
  [ -n "$(kvc --output name)" ] || { echo "nothing is deployed; ./dev.sh k8s deploy does that"; return 1; }
  kvc --output wide
  kube --namespace $NAMESPACE get pods --selector "app.kubernetes.io/instance=$CLUSTER" --output wide
  verdict "$(condition Ready)" "$(condition Degraded)" "$(condition Progressing)"
}

condition() { # type: STATUS MESSAGE
  kvc --output "jsonpath={range .status.conditions[?(@.type==\"$1\")]}{.status} {.message}{end}"
}

verdict() { # Ready, Degraded, Progressing
  case "$1|$2|$3" in
    True*\|False*\|False*) echo "all is well: ${1#* }" ;;
    True*\|False*) echo "on its way: ${3#* }"; return 1 ;;
    True*) echo "not well: ${2#* }"; return 1 ;;
    *) echo "not well: ${1#* }"; return 1 ;;
  esac
}

cmd_logs() {
  need_cluster
  local target='' options=(--tail=200)
  for each in "$@"; do
    case $each in
      -f) options+=(--follow) ;;
      -*) die "logs: unknown option $each; it can be -f" ;;
      *) target=$each ;;
    esac
  done
  case $target in
    operator) kube --namespace $OPERATOR_NAMESPACE logs --selector app.kubernetes.io/name=kvorum "${options[@]}" ;;
    '') kube --namespace $NAMESPACE logs --selector app.kubernetes.io/component=store --prefix --max-log-requests 20 "${options[@]}" ;;
    *) kube --namespace $NAMESPACE logs "$target" "${options[@]}" ;;
  esac
}

# What listens in the network of the own cluster cannot be reached from outside; a socket in a directory can.
cmd_console_port() {
  need_cluster
  local port=${1:-$HTTP_PORT} node=$REPO/node_modules/node/bin/node
  [[ $port =~ ^[0-9]+$ ]] || die "console-port: '$port' is no port"
  if [ "$(chosen)" != own ]; then kube --namespace $NAMESPACE port-forward "service/$CLUSTER" "$port:$HTTP_PORT"; return; fi
  local host
  host=$(kube --namespace $NAMESPACE get service $CLUSTER --output 'jsonpath={.spec.clusterIP}')
  in_cluster "$node" "$here/relay.ts" --from "$RUN/console-$port.sock" --to "$host:$HTTP_PORT" &
  local inside=$!
  # shellcheck disable=SC2064 # that process
  trap "kill $inside 2>/dev/null || true" EXIT
  say "http://127.0.0.1:$port is the store; Ctrl-C ends it"
  "$node" "$here/relay.ts" --from "127.0.0.1:$port" --to "$RUN/console-$port.sock"
}

cmd_scale() { # for ./dev.sh scale
  [[ ${1:-} =~ ^[1-9][0-9]?$ ]] || die "scale: say how many members: ./dev.sh scale 5"
  kube --namespace $NAMESPACE scale "kvcluster/$CLUSTER" --replicas "$1"
}

command=${1:-help}
[ $# -eq 0 ] || shift
case $command in
  help | -h | --help) usage ;;
  up | down | status | logs | image | operator | deploy | scale) "cmd_$command" "$@" ;;
  console-port) cmd_console_port "$@" ;;
  run) need_cluster; in_cluster "$@" ;;
  second-name) need_cluster; cmd_second_name "$@" ;; # for ./dev.sh e2e
  is-deployed) [ -n "$(chosen)" ] && [ -n "$(kvc --output name)" ] ;; # for ./dev.sh scale
  *) die "k8s: unknown command '$command'; ./dev.sh k8s help lists them" ;;
esac
