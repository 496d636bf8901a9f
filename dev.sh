#!/usr/bin/env bash
# The one front door of the project. `./dev.sh help` lists what it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
readonly NODE=node_modules/node/bin/node

say() { printf '\033[2m%s\033[0m\n' "$*" >&2; }
if [ ! -t 2 ] || [ -n "${NO_COLOR:-}" ]; then say() { printf '%s\n' "$*" >&2; }; fi
die() { printf 'dev.sh: %s\n' "$*" >&2; exit 2; }

usage() {
  cat <<'TEXT'
./dev.sh COMMAND

  up [N]                 start a local cluster of N nodes (default 3; HTTP on 7400, 7410, ..., data in .kvorum/node-i), or what
                         is down of it, and wait until every node is ready: one cluster, its partitions placed. Each key
                         lives on 3 of the nodes (on fewer in a cluster that began with fewer: cli factor N changes that); nodes
                         that join later take their share by themselves. LOCAL_HTTP_PORT in the environment moves the ports
  down                   stop the local cluster (SIGTERM: each node finishes what is in flight and syncs)
  status                 a table of the nodes and a verdict; exit code 0 only if all is well
  logs [i] [-f]          the log of the i-th node, or of all
  cli ...                the kvorum command line, e.g. ./dev.sh cli put hello world
  tour                   the README's tours as a test: one node through restart and kill -9; three nodes, one of them killed
                         while reads and writes go on, back again, and its replicas proven equal; five under load, one drained

  test [filter]          type check and tests; filter: a part of a test file's path
  test --coverage        the same with line coverage of store/core and store/storage
  soak [name]            fault runs against real processes at full length: kill, full, clock (one node);
                         leader, handover, pause, partition, mixed, restart (the topology of five nodes);
                         data, or data-kill, data-partition, ... for one fault (the data of five nodes);
                         elastic (3 -> 6 -> 4 nodes and a lost disk under 80 % of capacity, --keys N; 1,000,000)
  chaos                  real nodes killed, paused and cut off at random (--minutes M, --seed S; 5 minutes) while others join, are
                         drained and lose their disks, under a checked load; a cluster of its own, on ports that are free
  sim                    whole nodes on virtual time under faults: 2000 seeds; --seeds N, --first F, --nodes N, --minutes M,
                         --seed S replays one with its trace, --mutants shows that it notices broken rules.
  sim --operator         two operators on virtual time over an API server under faults: 200 seeds; the same options but --nodes
  models                 the models of docs/models, explored exhaustively by Spin (installed where it is missing)
  fuzz                   the HTTP surface against its OpenAPI document (schemathesis)
  lint [--fix]           biome with the house rules, and the type check
  bench NAME             storage, http, memory, raft, failover, gossip, cluster, profile, budget, scale-out, repair, slow-replica, replica-links, rebalance, topology, thread-hop, operator, peers or resp-memory;
                         results are kept in docs/benchmarks.md
  k8s COMMAND            Kubernetes: up, deploy, status, logs, console-port, run, down; ./dev.sh k8s help tells more
  e2e [SCENARIO...]      scenarios on the cluster of `k8s up`, each in a namespace of its own that is deleted afterwards (--keep keeps it),
                         most of them under load of k6: all, or those that are named (a wrong name lists them); --table puts what
                         came of them into docs/e2e.md
  example NAME           an example of docs/examples, e.g. cluster-in-one-process
  hooks                  install the git pre-commit hook (lint)

  clean                  stop what runs here and remove .kvorum/ (asks first; --yes does not ask)
  help                   this text

Whatever is missing (Node 26 from the npm package `node`, the npm packages) is installed first.
TEXT
}

# Installs the npm packages when the lock file changed since the last time, and makes sure that Node 26 is there.
ensure_installed() {
  local stamp=node_modules/.kvorum-installed
  if [ -x "$NODE" ] && [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then return; fi
  command -v npm >/dev/null || die "npm is missing: install Node (any version from 20), which brings it"
  say "installing npm packages and Node 26 (once; about 15 s)"
  npm ci --no-audit --no-fund --loglevel=error >&2
  if [ ! -x "$NODE" ]; then # npm was told to run no install scripts
    say "installing Node 26 from the npm package node"
    (cd node_modules/node && node installArchSpecificPackage.js) >&2
  fi
  "$NODE" -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 26 ? 0 : 1)' || die "Node 26 could not be installed: $NODE does not run"
  cp package-lock.json "$stamp"
}

node26() { PATH="$PWD/node_modules/node/bin:$PATH" "$NODE" "$@"; }

cmd_lint() {
  local fix=()
  if [ "${1:-}" = --fix ]; then fix=(--write); fi
  say "biome"
  node26 node_modules/.bin/biome check "${fix[@]}" --error-on-warnings .
  cmd_types
}

cmd_types() {
  say "type check"
  node26 node_modules/.bin/tsc --project tsconfig.json
}

cmd_test() {
  local args=(--import ./e2e/lib/end-stuck-test-file.ts --test --test-reporter=spec --test-timeout=180000) files=() filter=
  for arg in "$@"; do
    case "$arg" in
      --coverage) args+=(--experimental-test-coverage '--test-coverage-include=store/core/**' '--test-coverage-include=store/storage/**' '--test-coverage-exclude=**/*.test.ts' --test-coverage-lines=95) ;;
      -*) die "test: unknown option $arg" ;;
      *) filter=$arg ;;
    esac
  done
  [ -n "$filter" ] || cmd_types
  mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.test.ts' | grep -F -- "$filter" || true)
  [ ${#files[@]} -gt 0 ] || die "no test file's path contains '$filter'"
  node26 "${args[@]}" "${files[@]}"
}

cmd_sim() {
  if [ "${1:-}" = --operator ]; then node26 e2e/operator-sim.ts "${@:2}"; else node26 e2e/sim.ts "$@"; fi
}

cmd_bench() {
  local name=${1:-}
  [ -n "$name" ] && [ -f "bench/$name.bench.ts" ] || die "bench: name one of $(cd bench && ls ./*.bench.ts | sed 's#./\(.*\).bench.ts#\1#' | tr '\n' ' ')"
  shift
  node26 "bench/$name.bench.ts" "$@"
}

cmd_example() {
  local name=${1:-}
  [ -n "$name" ] && [ -f "docs/examples/$name.ts" ] || die "example: name one of $(cd docs/examples && ls ./*.ts | sed 's#./\(.*\).ts#\1#' | tr '\n' ' ')"
  node26 "docs/examples/$name.ts"
}

# Scenarios run beside the cluster, in its network, with the operator of this tree: of several trees one at a time.
cmd_e2e() {
  exec 9>"${TMPDIR:-/tmp}/kvorum-e2e.lock"
  if command -v flock >/dev/null && ! flock --nonblock 9; then
    say "waiting for another ./dev.sh e2e on this machine"
    flock 9
  fi
  local image next=${KVORUM_IMAGE_NEXT:-}
  command -v k6 >/dev/null || e2e/k6/install-k6.sh >&2
  image=$(e2e/kube/k8s.sh operator)
  if [ -z "$next" ]; then
    next=$image-next
    e2e/kube/k8s.sh second-name "$image" "$next"
  fi
  KVORUM_IMAGE=$image KVORUM_IMAGE_NEXT=$next e2e/kube/k8s.sh run "$PWD/$NODE" "$PWD/e2e/kube/run-scenarios.ts" "$@"
}

# Of the KVCluster where one is deployed, else of the local processes.
cmd_scale() {
  if e2e/kube/k8s.sh is-deployed; then e2e/kube/k8s.sh scale "$@"; else node26 cli/local/main.ts scale "$@"; fi
}

cmd_hooks() {
  printf '#!/bin/sh\nexec ./dev.sh lint\n' > .git/hooks/pre-commit
  chmod +x .git/hooks/pre-commit
  say "installed .git/hooks/pre-commit: ./dev.sh lint runs before each commit"
}

main() {
  local command=${1:-help}
  [ $# -eq 0 ] || shift
  case "$command" in
    help|-h|--help) usage; return ;;
    models) ;; # needs no Node
    k8s|e2e|up|scale|down|status|logs|clean|tour|soak|chaos|sim|example|fuzz|cli|test|lint|bench|hooks) ensure_installed ;;
    *) die "unknown command '$command'; ./dev.sh help lists them" ;;
  esac
  case "$command" in
    test) cmd_test "$@" ;;
    lint) cmd_lint "$@" ;;
    bench) cmd_bench "$@" ;;
    hooks) cmd_hooks ;;
    cli) node26 cli/main.ts "$@" ;;
    tour) node26 e2e/tour.ts "$@" ;;
    soak) node26 e2e/soak.ts "$@" ;;
    chaos) node26 e2e/chaos.ts "$@" ;;
    sim) cmd_sim "$@" ;;
    k8s) e2e/kube/k8s.sh "$@" ;;
    e2e) cmd_e2e "$@" ;;
    scale) cmd_scale "$@" ;;
    example) cmd_example "$@" ;;
    models) docs/models/run.sh "$@" ;;
    fuzz) e2e/fuzz.sh "$@" ;;
    *) node26 cli/local/main.ts "$command" "$@" ;;
  esac
}
main "$@"
