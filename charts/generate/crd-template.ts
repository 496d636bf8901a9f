import { stringify } from 'yaml';
import { customResourceDefinition } from '../../operator/api/crd.ts';

/** templates/crds/kvclusters.yaml: a template and no file of crds/, which Helm would never upgrade. */
export function crdTemplate(): string {
  const { apiVersion, kind, metadata, spec } = customResourceDefinition();
  // Helm and kubectl read YAML 1.1, where `on` is no text.
  const body = stringify({ spec }, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' });
  if (body.includes('{{')) throw new Error('the CustomResourceDefinition has braces that Helm would read');
  return `{{- /* Generated from operator/api: UPDATE_GOLDEN=1 ./dev.sh test charts */}}
{{- if .Values.crds.create }}
apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${metadata.name}
  labels:
    {{- include "kvorum.labels" . | nindent 4 }}
  {{- if or .Values.crds.keep .Values.commonAnnotations }}
  annotations:
    {{- if .Values.crds.keep }}
    helm.sh/resource-policy: keep
    {{- end }}
    {{- with .Values.commonAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
${body}{{- end }}
`;
}
