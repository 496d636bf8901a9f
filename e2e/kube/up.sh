#!/usr/bin/env bash
# Starts a real Kubernetes of one node without a container engine: etcd, API server, controllers, scheduler, kubelet, kube-proxy,
# CoreDNS and containerd, in a network namespace of their own, so that nothing leaves the machine. What runs already is left alone.
# down.sh ends and removes it; run.sh runs a command beside it; load-image.sh gives it an image. Needs root, Debian 12, and Go once.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"
readonly NODE=node0 NODE_IP=10.10.0.1 PODS=10.244.0.0/16 SERVICES=10.96.0.0/16 API_IP=10.96.0.1 DNS_IP=10.96.0.10
readonly PAUSE_IMAGE=localhost/kvorum-kube-pause:1
. "$here/keys.sh"
. "$here/configs.sh"

start() { # name, command...
  local name=$1
  shift
  ! runs "$name" || return 0
  (exec nsenter --net="/run/netns/$NETWORK" setsid "$@" >"$RUN/$name.log" 2>&1 </dev/null) &
  echo $! >"$RUN/$name.pid"
}

wait_for() { # name, seconds, command...
  local name=$1 until=$((SECONDS + $2))
  shift 2
  while ! "$@" >/dev/null 2>&1; do
    runs "$name" || die "$name ended: $(tail -n 3 "$RUN/$name.log")"
    [ $SECONDS -lt $until ] || die "$name is not ready; see $RUN/$name.log, and begin again by ./dev.sh k8s down"
    sleep 0.1
  done
}

network() {
  [ ! -e "/run/netns/$NETWORK" ] || return 0
  ip netns add "$NETWORK"
  in_network ip link set lo up
  in_network ip link add "$NODE" type bridge
  in_network ip addr add $NODE_IP/24 dev "$NODE"
  in_network ip link set "$NODE" up
  in_network ip route add default dev "$NODE" # kubelet and kube-proxy want one; it leads nowhere
  in_network sysctl -qw net.ipv4.ip_forward=1
}

# Kubelet changes some settings of the kernel: down.sh sets them back. Pods are in a cgroup of ours, so that we know which they are.
host() {
  [ -f "$RUN/sysctl" ] || sysctl "${KERNEL_SETTINGS[@]}" >"$RUN/sysctl" 2>/dev/null || true
  local directory
  [ -f "$RUN/made" ] || for directory in "${FIXED_PLACES[@]}"; do [ -e "$directory" ] || echo "$directory"; done >"$RUN/made"
  for directory in $(cgroup_roots); do mkdir -p "$directory$CGROUP"; done
  mkdir -p "$STATE/volumes"
  [ -e $VOLUMES_LINK ] || ln -s "$STATE/volumes" $VOLUMES_LINK
  [ "$(readlink $VOLUMES_LINK)" = "$STATE/volumes" ] ||
    die "$VOLUMES_LINK is in the way: Kubernetes puts volumes there, and they are those of another cluster; move it away once that one is stopped"
}

runtime() {
  start containerd containerd --config "$RUN/containerd.toml"
  wait_for containerd 30 ctr --address "$RUN/containerd.sock" version
  if has_image "$PAUSE_IMAGE"; then return; fi
  local container
  container=$(buildah from scratch)
  buildah copy --quiet "$container" "$BIN/pause" /pause >/dev/null
  buildah config --entrypoint '["/pause"]' "$container"
  buildah commit --quiet --rm "$container" "$PAUSE_IMAGE" >/dev/null
  "$here/load-image.sh" "$PAUSE_IMAGE"
}

api_server() {
  local etcd=http://127.0.0.1:2379
  start etcd "$BIN/etcd" --data-dir "$STATE/etcd" --listen-client-urls $etcd --advertise-client-urls $etcd \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync --log-level warn
  start kube-apiserver "$BIN/kube-apiserver" --etcd-servers $etcd --advertise-address $NODE_IP --bind-address 0.0.0.0 --secure-port 6443 \
    --service-cluster-ip-range $SERVICES --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --client-ca-file "$KEYS/ca.crt" --tls-cert-file "$KEYS/apiserver.crt" --tls-private-key-file "$KEYS/apiserver.key" \
    --kubelet-client-certificate "$KEYS/admin.crt" --kubelet-client-key "$KEYS/admin.key" --kubelet-certificate-authority "$KEYS/ca.crt" \
    --kubelet-preferred-address-types InternalIP --service-account-issuer https://kubernetes.default.svc \
    --service-account-signing-key-file "$KEYS/accounts.key" --service-account-key-file "$KEYS/accounts.pub" \
    --requestheader-client-ca-file "$KEYS/ca.crt" --requestheader-allowed-names front-proxy --requestheader-username-headers X-Remote-User \
    --requestheader-group-headers X-Remote-Group --requestheader-extra-headers-prefix X-Remote-Extra- \
    --proxy-client-cert-file "$KEYS/front-proxy.crt" --proxy-client-key-file "$KEYS/front-proxy.key"
  wait_for kube-apiserver 120 kubectl_here get --raw /readyz
}

component() { # name, who it is, further options
  local name=$1 config=$RUN/$2.kubeconfig
  shift 2
  start "$name" "$BIN/$name" --kubeconfig "$config" --authentication-kubeconfig "$config" --authorization-kubeconfig "$config" --leader-elect=false "$@"
}

controllers() {
  component kube-controller-manager controller-manager --service-account-private-key-file "$KEYS/accounts.key" --root-ca-file "$KEYS/ca.crt" \
    --cluster-signing-cert-file "$KEYS/ca.crt" --cluster-signing-key-file "$KEYS/ca.key" --use-service-account-credentials \
    --service-cluster-ip-range $SERVICES --cluster-cidr $PODS --enable-hostpath-provisioner --flex-volume-plugin-dir "$STATE/plugins" \
    --node-monitor-grace-period 20s
  component kube-scheduler scheduler
  # Volumes are made for root alone, and pods here are not root.
  start volumes bash -c "while sleep 0.2; do find '$STATE/volumes' -mindepth 1 -maxdepth 1 -perm 0750 -exec chmod 0777 {} +; done"
}

node() {
  start kubelet "$BIN/kubelet" --config "$RUN/kubelet.yaml" --kubeconfig "$RUN/kubelet.kubeconfig" --hostname-override $NODE --node-ip $NODE_IP \
    --root-dir "$STATE/kubelet" --cert-dir "$STATE/kubelet/pki"
  start kube-proxy "$BIN/kube-proxy" --config "$RUN/kube-proxy.yaml"
  start coredns "$BIN/coredns" -conf "$RUN/Corefile"
  sed "s/NODE_IP/$NODE_IP/; s/DNS_IP/$DNS_IP/" "$here/addons.yaml" | kubectl_here apply --filename - >/dev/null
  wait_for kubelet 60 kubectl_here wait --for=condition=Ready "node/$NODE" --timeout=1s
  wait_for kube-controller-manager 60 kubectl_here get serviceaccount default
}

need_root
need_debian containerd runc buildah containernetworking-plugins iptables conntrack iproute2 procps openssl gcc libc6-dev ca-certificates
"$here/build.sh"
mkdir -p "$RUN" "$STATE"
make_keys
write_configs
network
host
runtime
api_server
controllers
node
say "Kubernetes v$KUBE is up: $(realpath --relative-to=. "$here")/run.sh kubectl get nodes"
