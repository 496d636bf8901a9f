import { readFileSync } from 'node:fs';
import { isMap, isScalar, type Pair, parse, parseDocument, type YAMLMap } from 'yaml';

/** charts/kvorum/README.md, from Chart.yaml and the comments `# --` of values.yaml. */

const CHART = new URL('../kvorum/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, CHART), 'utf8');

export type ValueRow = { readonly key: string; readonly default: string; readonly description: string };

/** One row for each value that has a comment; throws where one has none, and none above it. */
export function valueRows(text: string): readonly ValueRow[] {
  const root = parseDocument(text).contents;
  if (!isMap(root)) throw new Error('values.yaml is not a mapping');
  return rowsOf(root, '', root.commentBefore ?? undefined);
}

function rowsOf(map: YAMLMap, prefix: string, firstComment: string | undefined): readonly ValueRow[] {
  return map.items.flatMap((pair, index) => {
    const key = `${prefix}${keyOf(pair)}`;
    const comment = commentOf(pair) ?? (index === 0 ? firstComment : undefined);
    const description = comment?.match(/^ -- (.*)$/m)?.[1];
    if (description !== undefined) return [{ key, default: defaultOf(pair), description }];
    if (!isMap(pair.value)) throw new Error(`values.yaml: ${key} has no comment that begins with # --`);
    return rowsOf(pair.value, `${key}.`, pair.value.commentBefore ?? undefined);
  });
}

const keyOf = ({ key }: Pair): string => String(isScalar(key) ? key.value : key);

function commentOf({ key }: Pair): string | undefined {
  return isScalar(key) ? (key.commentBefore ?? undefined) : undefined;
}

function defaultOf({ value }: Pair): string {
  const plain = (value as { toJSON?: () => unknown } | null)?.toJSON?.() ?? null;
  return JSON.stringify(plain);
}

export function readme(): string {
  const chart = parse(read('Chart.yaml')) as { description: string; version: string; kubeVersion: string };
  const rows = valueRows(read('values.yaml')).map(
    (row) => `| \`${row.key}\` | \`${row.default}\` | ${row.description.replaceAll('|', '\\|')} |`,
  );
  return `# kvorum

${chart.description}. Chart ${chart.version}, Kubernetes \`${chart.kubeVersion}\`.

    helm install kvorum charts/kvorum --namespace kvorum-system --create-namespace
    kubectl apply -f - <<YAML
    apiVersion: kvorum.dev/v1alpha1
    kind: KVCluster
    metadata: {name: demo}
    spec: {replicas: 3}
    YAML
    kubectl wait kvc/demo --for=condition=Ready --timeout=5m

Without Helm: \`kubectl apply --server-side -f charts/manifests/kvorum-operator.yaml\`.

## What it installs

- The operator, with the rights that it needs and no others: it never lists Secrets, and runs as the pod security standard \`restricted\` wants it.
  With \`operator.watchNamespaces\` it may write in these namespaces only; \`rbac.clusterReads: false\` takes the rest (nodes) as well.
- The kind KVCluster (\`kvc\`): \`kubectl explain kvc.spec\` has all of it, the settings of the store too.
- Where switched on: alert rules, a Grafana dashboard, a PodMonitor, a KVCluster.

## Upgrade and uninstallation

\`helm upgrade\` upgrades the kind as well. It restarts no pod of the store: these change with \`spec.image\` of their KVCluster.

\`helm uninstall\` takes the operator away and leaves the kind, the KVClusters and their data: clusters go on without an operator, and the next
one takes them over (under another name of the release with \`--take-ownership\`). To delete a cluster, \`kubectl delete kvc NAME\`; its volumes stay unless \`spec.storage.retention.whenDeleted\` is \`Delete\`.

## A KVCluster with the release

\`cluster.create\` makes one. Kubernetes learns of the kind with the first installation, so the KVCluster comes with the first \`helm upgrade\` after
it: the notes that Helm prints say so. Or install twice: \`helm upgrade --install\` with the same values.

## Values

| value | default | what it is |
| --- | --- | --- |
${rows.join('\n')}
`;
}
