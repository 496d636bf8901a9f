import { stringify } from 'yaml';
import { customResourceDefinition } from '../../operator/api/crd.ts';

/** templates/crds/kvclusters.yaml: a template and no file of crds/, which Helm would never upgrade. */
export function crdTemplate(): string {
  const { apiVersion, kind, metadata, spec } = customResourceDefinition();
  // Helm and kubectl read YAML 1.1, where `on` is no text.
  const plain = stringify({ spec }, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' });
  if (plain.includes('{{')) throw new Error('the CustomResourceDefinition has braces that Helm would read');
  const body = withImageOfOperator(plain);
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

const IMAGE_DEFAULT = /^( *)default:\n(?:\1 {2}(?:tag|repository|pullPolicy): .*\n){3}/m;
const REPOSITORY_DEFAULT = /default: \S+(\n *description: Where the image is, )/;

/** A KVCluster that names no image gets that of the operator: who has it from a registry of their own has the store from there too. */
function withImageOfOperator(body: string): string {
  const indent = IMAGE_DEFAULT.exec(body)?.[1];
  if (indent === undefined || !REPOSITORY_DEFAULT.test(body))
    throw new Error('the CustomResourceDefinition has no default of spec.image');
  return body
    .replace(
      IMAGE_DEFAULT,
      `${indent}default: {{- include "kvorum.imageDefault" . | nindent ${indent.length + 2} }}\n`,
    )
    .replace(REPOSITORY_DEFAULT, 'default: {{ .Values.image.repository | quote }}$1');
}
