#!/usr/bin/env bash
# Runs a command beside the cluster, in its network, with its KUBECONFIG and its kubectl: run.sh kubectl get pods
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
[ $# -gt 0 ] || die "say which command: run.sh kubectl get pods"
need_root
[ -e "/run/netns/$NETWORK" ] || die "the cluster does not run: ./dev.sh k8s up starts it"
exec nsenter --net="/run/netns/$NETWORK" env KUBECONFIG="$KUBECONFIG_FILE" PATH="$BIN:$REPO/.kvorum/bin:$PATH" "$@"
