{{- define "kvorum.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release, with the name of the chart where it is not in it; 54 leaves room for "-operator". */}}
{{- define "kvorum.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" }}
{{- else if contains (include "kvorum.name" .) .Release.Name }}
{{- .Release.Name | trunc 54 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kvorum.name" .) | trunc 54 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "kvorum.operator" -}}
{{ include "kvorum.fullname" . }}-operator
{{- end }}

{{/* Never a version: a selector cannot change. */}}
{{- define "kvorum.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kvorum.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "kvorum.labels" -}}
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
{{ include "kvorum.selectorLabels" . }}
app.kubernetes.io/part-of: kvorum
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Metadata of an object of the operator's namespace: (list . NAME) */}}
{{- define "kvorum.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "kvorum.labels" $root | nindent 2 }}
{{- with $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "kvorum.clusterMetadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
labels:
  {{- include "kvorum.labels" $root | nindent 2 }}
{{- with $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "kvorum.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kvorum.operator" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "kvorum.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Of the stores of KVClusters that name none: the same. */}}
{{- define "kvorum.imageDefault" -}}
{{- with .Values.image }}
{{- $version := dict "tag" (.tag | default $.Chart.AppVersion) }}
{{- if .digest }}{{ $version = dict "digest" .digest }}{{ end }}
{{- merge $version (dict "repository" .repository "pullPolicy" .pullPolicy) | toYaml }}
{{- end }}
{{- end }}

{{- define "kvorum.clusterName" -}}
{{- default .Release.Name .Values.cluster.name }}
{{- end }}

{{/* Whether Kubernetes knows KVCluster: at the first installation it learns of it with the release itself. */}}
{{- define "kvorum.knowsKind" -}}
{{- if .Capabilities.APIVersions.Has "kvorum.dev/v1alpha1/KVCluster" }}yes{{ end }}
{{- end }}

{{/* What the operator may do with the objects of a namespace that it looks after. */}}
{{- define "kvorum.rules" -}}
- apiGroups: [kvorum.dev]
  resources: [kvclusters]
  verbs: [get, list, watch, patch]
- apiGroups: [kvorum.dev]
  resources: [kvclusters/status]
  verbs: [patch]
- apiGroups: [kvorum.dev]
  resources: [kvclusters/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
# Secrets are made once, and read by their name: it never lists those of others.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
