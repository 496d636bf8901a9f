{{- define "kvorum.notes" -}}
{{- $namespace := .Release.Namespace -}}
{{- $name := include "kvorum.clusterName" . -}}
Kvorum {{ .Chart.AppVersion }}: the operator looks after KVClusters in {{ if .Values.operator.watchNamespaces }}{{ join ", " .Values.operator.watchNamespaces }}{{ else }}all namespaces{{ end }}.

    kubectl -n {{ $namespace }} rollout status deployment/{{ include "kvorum.operator" . }}
{{ if not .Values.cluster.create }}
A cluster of three members:

    kubectl apply -f - <<YAML
    apiVersion: kvorum.dev/v1alpha1
    kind: KVCluster
    metadata: {name: demo}
    spec: {replicas: 3}
    YAML
    kubectl wait kvc/demo --for=condition=Ready --timeout=5m
{{ else if not (include "kvorum.knowsKind" .) }}
The KVCluster {{ $name }} is NOT made yet: Kubernetes learned of its kind only now. The same once more makes it:

    helm -n {{ $namespace }} upgrade {{ .Release.Name }} CHART --reuse-values
{{ else }}
The KVCluster {{ $name }}:

    kubectl -n {{ $namespace }} wait kvc/{{ $name }} --for=condition=Ready --timeout=5m
    kubectl -n {{ $namespace }} exec {{ $name }}-0 -- node /app/cli/main.ts put hello world
    kubectl -n {{ $namespace }} exec {{ $name }}-0 -- node /app/cli/main.ts get hello

It is kept when this release is uninstalled, with its data: kubectl -n {{ $namespace }} delete kvc {{ $name }}
{{ end }}
What there is: kubectl get kvc -A. What can be said of one: kubectl explain kvc.spec.
{{ end }}
