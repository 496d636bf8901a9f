import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { findTool } from '../generate/find-tool.ts';
import { plainManifests, renderChart } from '../generate/manifests.ts';

/** Each switch of values.yaml, by what comes of it. TEST_REQUIRES_HELM=1 makes a missing helm a failure. */

const found = findTool('helm', 'HELM');
const helm = found ?? 'helm';
const MISSING = 'helm is missing: charts/install-helm.sh builds it, or set HELM to it';
const skip = found === undefined && process.env.TEST_REQUIRES_HELM !== '1' ? MISSING : false;
const CHARTS = fileURLToPath(new URL('../', import.meta.url));
const KNOWS_KIND = ['--api-versions', 'kvorum.dev/v1alpha1/KVCluster'];

type Json = Readonly<Record<string, unknown>>;
type Rendered = Json & {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<
    Record<'labels' | 'annotations', Readonly<Record<string, string>> | undefined>
  >;
};

/** The objects that the chart makes of `values`, each NAME=VALUE as for --set. */
function render(values: readonly string[] = [], others: readonly string[] = []): readonly Rendered[] {
  const text = renderChart(helm, [...values.flatMap((value) => ['--set', value]), ...others]);
  return parseAllDocuments(text).flatMap((document) => {
    assert.deepEqual(document.errors, []);
    return (document.toJS() as Rendered | null) ?? [];
  });
}

const kinds = (objects: readonly Rendered[]): readonly string[] => objects.map(({ kind }) => kind);
const named = (objects: readonly Rendered[], kind: string): readonly string[] =>
  objects.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);

/** What is at a path, such as `spec.template.spec`, of the first object of a kind. */
function at(objects: readonly Rendered[], kind: string, path: string): unknown {
  const start: unknown = objects.find((each) => each.kind === kind);
  assert.ok(start, `there is no ${kind}`);
  return path.split('.').reduce<unknown>((value, key) => (value as Json | undefined)?.[key], start);
}

const POD = 'spec.template.spec';
const CONTAINER = `${POD}.containers.0`;

/** Throws unless helm refuses the values with a message that `said` matches. */
function refuses(values: readonly string[], said: RegExp): void {
  assert.throws(
    () => render(values),
    (error) => said.test(String((error as { stderr?: unknown }).stderr)),
  );
}

test('defaults: the operator, its rights, and the kind, and nothing else', { skip }, () => {
  const objects = render();
  assert.deepEqual(
    new Set(kinds(objects)),
    new Set([
      ...[
        'ServiceAccount',
        'CustomResourceDefinition',
        'ClusterRole',
        'ClusterRoleBinding',
        'Role',
        'RoleBinding',
      ],
      ...['Deployment', 'Pod'],
    ]),
  );
  assert.deepEqual(named(objects, 'Deployment'), ['kvorum-operator']);
  assert.equal(at(objects, 'Deployment', `${CONTAINER}.image`), 'ghcr.io/kvorum/kvorum:0.1.0');
});

test('the operator keeps to the pod security standard `restricted`', { skip }, () => {
  const objects = render();
  assert.equal(at(objects, 'Deployment', `${POD}.securityContext.runAsNonRoot`), true);
  assert.deepEqual(at(objects, 'Deployment', `${POD}.securityContext.seccompProfile`), {
    type: 'RuntimeDefault',
  });
  assert.deepEqual(at(objects, 'Deployment', `${CONTAINER}.securityContext`), {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

test('selectors have no version: an upgrade does not change them', { skip }, () => {
  const labels = at(render(), 'Deployment', 'spec.selector.matchLabels') as Json;
  assert.deepEqual(Object.keys(labels), [
    'app.kubernetes.io/name',
    'app.kubernetes.io/instance',
    'app.kubernetes.io/component',
  ]);
});

test('image: tag, digest before tag, pull policy and secrets', { skip }, () => {
  const image = (...values: string[]): unknown => at(render(values), 'Deployment', `${CONTAINER}.image`);
  assert.equal(image('image.tag=1.2.3', 'image.repository=r/k'), 'r/k:1.2.3');
  const digest = `sha256:${'ab'.repeat(32)}`;
  assert.equal(image('image.tag=1.2.3', `image.digest=${digest}`), `ghcr.io/kvorum/kvorum@${digest}`);
  const objects = render(['image.pullPolicy=Always', 'imagePullSecrets[0].name=registry']);
  assert.equal(at(objects, 'Deployment', `${CONTAINER}.imagePullPolicy`), 'Always');
  assert.deepEqual(at(objects, 'Deployment', `${POD}.imagePullSecrets`), [{ name: 'registry' }]);
});

test('a KVCluster that names no image gets that of the operator', { skip }, () => {
  const spec = 'spec.versions.0.schema.openAPIV3Schema.properties.spec.properties.image';
  const image = (...values: string[]): unknown =>
    at(render(values), 'CustomResourceDefinition', `${spec}.default`);
  const common = { repository: 'mirror.example/kvorum', pullPolicy: 'Always' };
  const mirror = ['image.repository=mirror.example/kvorum', 'image.pullPolicy=Always'];
  assert.deepEqual(image(...mirror, 'image.tag=2.0.0'), { ...common, tag: '2.0.0' });
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.deepEqual(image(...mirror, `image.digest=${digest}`), { ...common, digest });
  const repository = at(render(mirror), 'CustomResourceDefinition', `${spec}.properties.repository.default`);
  assert.equal(repository, 'mirror.example/kvorum', 'who names a tag alone means the same repository');
});

test('names: nameOverride and fullnameOverride', { skip }, () => {
  assert.deepEqual(named(render(['fullnameOverride=other']), 'Deployment'), ['other-operator']);
  assert.deepEqual(named(render(['nameOverride=db']), 'Deployment'), ['kvorum-db-operator']);
  const long = named(render([`fullnameOverride=${'x'.repeat(80)}`]), 'Deployment')[0] ?? '';
  assert.equal(long, `${'x'.repeat(54)}-operator`);
});

test('operator.watchNamespaces: rights in these alone', { skip }, () => {
  const objects = render([
    'operator.watchNamespaces={a,b}',
    'rbac.clusterReads=false',
    'rbac.aggregateClusterRoles=false',
  ]);
  assert.deepEqual(named(objects, 'ClusterRole'), []);
  assert.deepEqual(named(objects, 'ClusterRoleBinding'), []);
  const roles = objects
    .filter(({ kind }) => kind === 'Role')
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  assert.deepEqual(roles.toSorted(), [
    'a/kvorum-operator',
    'b/kvorum-operator',
    'kvorum-system/kvorum-operator-lease',
  ]);
  assert.ok((at(objects, 'Deployment', `${CONTAINER}.args`) as string[]).includes('--watch-namespaces=a,b'));
});

test('rights: least, whatever is watched: no Secret is listed or changed, no node is changed, nothing is escalated', {
  skip,
}, () => {
  for (const values of [[], ['operator.watchNamespaces={a}']]) {
    const rules = render(values)
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
      .flatMap(({ rules: own }) => own as { apiGroups: string[]; resources: string[]; verbs: string[] }[]);
    for (const { apiGroups, resources, verbs } of rules) {
      assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'));
      assert.ok(
        !resources.some((name) => /roles|bindings|exec|impersonate|tokens/.test(name)),
        resources.join(),
      );
      if (resources.includes('secrets')) assert.deepEqual(verbs, ['get', 'create']);
      if (resources.includes('nodes')) assert.deepEqual(verbs, ['list', 'watch']);
    }
  }
});

test('operator.logLevel, extraArgs and extraEnv', { skip }, () => {
  const objects = render([
    'operator.logLevel=debug',
    'operator.extraArgs={--x}',
    'operator.extraEnv[0].name=A',
  ]);
  const args = at(objects, 'Deployment', `${CONTAINER}.args`) as string[];
  assert.ok(args.includes('--log-level=debug') && args.includes('--x'), args.join());
  const env = at(objects, 'Deployment', `${CONTAINER}.env`) as { name: string }[];
  assert.deepEqual(
    env.map(({ name }) => name),
    ['POD_NAME', 'POD_NAMESPACE', 'A'],
  );
});

test('crds.create and crds.keep', { skip }, () => {
  const keep = (objects: readonly Rendered[]): unknown =>
    (at(objects, 'CustomResourceDefinition', 'metadata.annotations') as Json | undefined)?.[
      'helm.sh/resource-policy'
    ];
  assert.ok(!kinds(render(['crds.create=false'])).includes('CustomResourceDefinition'));
  assert.equal(keep(render()), 'keep');
  assert.equal(keep(render(['crds.keep=false'])), undefined);
});

test('rbac.create, clusterReads, aggregateClusterRoles', { skip }, () => {
  assert.doesNotMatch(kinds(render(['rbac.create=false'])).join(), /Role/);
  assert.deepEqual(
    named(render(['rbac.clusterReads=false', 'rbac.aggregateClusterRoles=false']), 'ClusterRole'),
    ['kvorum-operator'],
  );
  assert.deepEqual(named(render(), 'ClusterRole').toSorted(), [
    ...['kvorum-kvclusters-edit', 'kvorum-kvclusters-view', 'kvorum-operator', 'kvorum-operator-reads'],
  ]);
});

test('serviceAccount: made, named, annotated, or another one', { skip }, () => {
  const objects = render(['serviceAccount.name=sa', 'serviceAccount.annotations.role=r']);
  assert.deepEqual(named(objects, 'ServiceAccount'), ['sa']);
  assert.deepEqual(at(objects, 'ServiceAccount', 'metadata.annotations'), { role: 'r' });
  assert.equal(at(objects, 'ClusterRoleBinding', 'subjects.0.name'), 'sa');
  const without = render(['serviceAccount.create=false', 'serviceAccount.name=sa']);
  assert.ok(!kinds(without).includes('ServiceAccount'));
  assert.equal(at(without, 'Deployment', `${POD}.serviceAccountName`), 'sa');
});

test('labels and annotations: of the pods, and of all objects', { skip }, () => {
  const objects = render([
    'podLabels.a=1a',
    'podAnnotations.b=2b',
    'commonLabels.c=3c',
    'commonAnnotations.d=4d',
  ]);
  const pod = at(objects, 'Deployment', 'spec.template.metadata') as Rendered['metadata'];
  assert.equal(pod.labels?.a, '1a');
  assert.deepEqual(pod.annotations, { b: '2b', d: '4d' });
  for (const { kind, metadata } of objects) assert.equal(metadata.labels?.c, '3c', kind);
  const annotated = objects
    .filter(({ metadata }) => metadata.annotations?.d === '4d')
    .map(({ kind }) => kind);
  assert.ok(
    annotated.includes('CustomResourceDefinition') && annotated.includes('Deployment'),
    annotated.join(),
  );
});

test('where it runs: nodeSelector, tolerations, affinity, spread, priority, resources', { skip }, () => {
  const objects = render([
    ...['nodeSelector.pool=x', 'tolerations[0].operator=Exists', 'affinity.nodeAffinity.x=y'],
    ...['topologySpreadConstraints[0].maxSkew=1', 'priorityClassName=high', 'resources.limits.memory=1Gi'],
  ]);
  const pod = at(objects, 'Deployment', POD) as Json;
  assert.deepEqual(
    [pod.nodeSelector, pod.tolerations, pod.affinity, pod.topologySpreadConstraints, pod.priorityClassName],
    [{ pool: 'x' }, [{ operator: 'Exists' }], { nodeAffinity: { x: 'y' } }, [{ maxSkew: 1 }], 'high'],
  );
  assert.equal(at(objects, 'Deployment', `${CONTAINER}.resources.limits.memory`), '1Gi');
});

test('podDisruptionBudget: for several pods only, since it would block the drain of a node for ever', {
  skip,
}, () => {
  assert.ok(!kinds(render()).includes('PodDisruptionBudget'));
  const several = render(['replicaCount=2']);
  assert.equal(at(several, 'Deployment', 'spec.replicas'), 2);
  assert.equal(at(several, 'PodDisruptionBudget', 'spec.maxUnavailable'), 1);
  assert.ok(
    !kinds(render(['replicaCount=2', 'podDisruptionBudget.enabled=false'])).includes('PodDisruptionBudget'),
  );
});

test('networkPolicy.enabled', { skip }, () => {
  assert.deepEqual(at(render(['networkPolicy.enabled=true']), 'NetworkPolicy', 'spec.policyTypes'), [
    'Ingress',
  ]);
});

test('monitoring: PodMonitor, PrometheusRule and dashboard, with labels to be found by', { skip }, () => {
  const objects = render([
    ...[
      'monitoring.podMonitor.enabled=true',
      'monitoring.podMonitor.interval=10s',
      'monitoring.podMonitor.labels.p=q',
    ],
    ...['monitoring.prometheusRule.enabled=true', 'monitoring.prometheusRule.labels.p=q'],
    ...['monitoring.grafanaDashboard.enabled=true', 'monitoring.grafanaDashboard.annotations.folder=Data'],
  ]);
  assert.equal(at(objects, 'PodMonitor', 'spec.podMetricsEndpoints.0.interval'), '10s');
  for (const kind of ['PodMonitor', 'PrometheusRule'])
    assert.equal(at(objects, kind, 'metadata.labels.p'), 'q');
  assert.ok((at(objects, 'PrometheusRule', 'spec.groups') as unknown[]).length > 0);
  const dashboard = objects.find(({ kind }) => kind === 'ConfigMap') as Rendered;
  assert.equal(dashboard.metadata.labels?.grafana_dashboard, '1');
  assert.deepEqual(dashboard.metadata.annotations, { folder: 'Data' });
  const text = (dashboard.data as Record<string, string>)['kvorum.json'] as string;
  assert.deepEqual(
    JSON.parse(text),
    JSON.parse(readFileSync(`${CHARTS}kvorum/files/dashboard.json`, 'utf8')),
  );
});

test('cluster: made where Kubernetes knows the kind, and kept', { skip }, () => {
  const values = ['cluster.create=true', 'cluster.name=shop', 'cluster.spec.replicas=5'];
  assert.ok(!kinds(render(values)).includes('KVCluster'));
  const objects = render(values, KNOWS_KIND);
  assert.deepEqual(named(objects, 'KVCluster'), ['shop']);
  assert.deepEqual(at(objects, 'KVCluster', 'spec'), { replicas: 5 });
  const annotations = at(objects, 'KVCluster', 'metadata.annotations') as Json;
  assert.equal(annotations['helm.sh/resource-policy'], 'keep');
  assert.ok(!kinds(render([], KNOWS_KIND)).includes('KVCluster'));
  const port = render([...values, 'cluster.spec.service.ports.http=80'], KNOWS_KIND);
  assert.ok((at(port, 'Pod', 'spec.containers.0.command') as string[]).includes('http://shop:80'));
});

test('notes: the next command, whatever is switched on', { skip }, () => {
  const notes = (values: readonly string[] = [], others: readonly string[] = []): string => {
    const text = '{{ include "kvorum.notes" . | toJson }}';
    const probe = ['--set-json', `extraObjects=${JSON.stringify([{ kind: 'Notes', text }])}`];
    return JSON.parse(at(render(values, [...others, ...probe]), 'Notes', 'text') as string) as string;
  };
  assert.match(
    notes(),
    /all namespaces\.\n[\s\S]*kubectl apply -f - [\s\S]*kubectl wait kvc\/demo --for=condition=Ready/,
  );
  assert.match(notes(['operator.watchNamespaces={a,b}']), /in a, b\.\n/);
  const cluster = ['cluster.create=true', 'cluster.name=shop'];
  assert.match(
    notes(cluster),
    /NOT made yet[\s\S]*helm -n kvorum-system upgrade kvorum CHART --reuse-values/,
  );
  assert.match(
    notes(cluster, KNOWS_KIND),
    /wait kvc\/shop [\s\S]*exec shop-0 -- node \/app\/cli\/main\.ts put hello world/,
  );
});

test('extraObjects are templates', { skip }, () => {
  const values = ['extraObjects[0].kind=Extra', 'extraObjects[0].metadata.name=x-{{ .Release.Name }}'];
  assert.deepEqual(named(render(values), 'Extra'), ['x-kvorum']);
});

test('values.schema.json refuses what is misspelt or of the wrong type', { skip }, () => {
  refuses(['replicaCounts=2'], /replicaCounts/);
  refuses(['image.pullPolicy=Sometimes'], /pullPolicy/);
  refuses(['cluster.spec.replica=3'], /replica/);
  refuses(['cluster.spec.config.moves\\.partitionsMax=100'], /partitionsMax/);
});

test('helm lint --strict has nothing to say', { skip }, () => {
  const said = execFileSync(helm, ['lint', '--strict', `${CHARTS}kvorum`], { encoding: 'utf8' });
  assert.match(said, /0 chart\(s\) failed/);
  assert.doesNotMatch(said, /WARNING|ERROR/);
});

test('manifests/kvorum-operator.yaml is what the chart renders to', { skip }, () => {
  const file = `${CHARTS}manifests/kvorum-operator.yaml`;
  const rendered = plainManifests(helm);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, rendered);
  assert.equal(readFileSync(file, 'utf8'), rendered);
  assert.doesNotMatch(rendered, /[Hh]elm/);
  for (const document of parseAllDocuments(rendered)) assert.deepEqual(document.errors, []);
});
