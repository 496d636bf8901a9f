# shellcheck shell=bash
# The files that containerd, kubelet, kube-proxy and CoreDNS read. Sourced by up.sh.

# Not where it says so already: kube-proxy ends when its file is touched.
write_configs() {
  mkdir -p "$RUN/cni"
  containerd_config | keep "$RUN/containerd.toml"
  cni_config | keep "$RUN/cni/10-pods.conflist"
  kubelet_config | keep "$RUN/kubelet.yaml"
  kube_proxy_config | keep "$RUN/kube-proxy.yaml"
  coredns_config | keep "$RUN/Corefile"
  echo "nameserver $DNS_IP" | keep "$RUN/resolv.conf"
}

keep() { # file, its text on stdin
  local text
  text=$(cat)
  [ -f "$1" ] && [ "$(cat "$1")" = "$text" ] || printf '%s\n' "$text" >"$1"
}

# restrict_oom_score_adj: it works in a container too, where CAP_SYS_RESOURCE is not to be had.
containerd_config() {
  cat <<TOML
version = 2
root = "$STATE/containerd"
state = "$RUN/containerd"
[grpc]
  address = "$RUN/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "$RUN/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$RUN/cni"
TOML
}

cni_config() {
  cat <<JSON
{"cniVersion": "1.0.0", "name": "$NETWORK", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$STATE/ipam", "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
}

kubelet_config() {
  cat <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $KEYS/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $KEYS/kubelet.crt
tlsPrivateKeyFile: $KEYS/kubelet.key
containerRuntimeEndpoint: unix://$RUN/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: $CGROUP
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
resolvConf: $RUN/resolv.conf
podLogsDir: $STATE/logs
volumePluginDir: $STATE/plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
YAML
}

# Limits of connection tracking are the machine's, not the cluster's: they stay as they are.
kube_proxy_config() {
  cat <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
oomScoreAdj: 0
clientConnection: {kubeconfig: $RUN/proxy.kubeconfig}
hostnameOverride: $NODE
mode: iptables
clusterCIDR: $PODS
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
}

coredns_config() {
  cat <<CORE
.:53 {
  bind $NODE_IP
  errors
  kubernetes cluster.local {
    kubeconfig $KUBECONFIG_FILE
  }
  cache 5
}
CORE
}
