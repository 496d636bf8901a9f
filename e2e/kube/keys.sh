# shellcheck shell=bash
# The keys of the cluster and who shows them; made anew for each cluster, good for 30 days. Sourced by up.sh.
readonly KEYS=$RUN/keys KEYS_DAYS=30

make_keys() {
  mkdir -p "$KEYS"
  if [ -f "$KEYS/ca.crt" ]; then return; fi
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $KEYS_DAYS -subj /CN=kvorum-kube -keyout "$KEYS/ca.key" -out "$KEYS/ca.crt" 2>/dev/null
  openssl ecparam -name prime256v1 -genkey -noout -out "$KEYS/accounts.key"
  openssl ec -in "$KEYS/accounts.key" -pubout -out "$KEYS/accounts.pub" 2>/dev/null
  certificate apiserver /CN=kube-apiserver \
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:$API_IP,IP:$NODE_IP,IP:127.0.0.1"
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE" "DNS:$NODE,IP:$NODE_IP"
  certificate front-proxy /CN=front-proxy
  certificate admin /O=system:masters/CN=admin
  certificate controller-manager /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler
  certificate proxy /CN=system:kube-proxy
  local who
  for who in admin controller-manager scheduler proxy kubelet; do kubeconfig $who >"$RUN/$who.kubeconfig"; done
}

certificate() { # file, subject, other names
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$KEYS/$1.key" -out "$KEYS/$1.csr" 2>/dev/null
  openssl x509 -req -in "$KEYS/$1.csr" -CA "$KEYS/ca.crt" -CAkey "$KEYS/ca.key" -CAcreateserial -days $KEYS_DAYS -out "$KEYS/$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "${3:-DNS:$1}") 2>/dev/null
}

kubeconfig() { # who
  cat <<YAML
apiVersion: v1
kind: Config
current-context: kvorum-kube
contexts: [{name: kvorum-kube, context: {cluster: kvorum-kube, user: $1}}]
clusters: [{name: kvorum-kube, cluster: {server: "https://$NODE_IP:6443", certificate-authority: $KEYS/ca.crt}}]
users: [{name: $1, user: {client-certificate: $KEYS/$1.crt, client-key: $KEYS/$1.key}}]
YAML
}
