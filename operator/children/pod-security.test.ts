import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../store/config/resolve-config.ts';
import { environmentName, SETTING_NAMES } from '../../store/config/settings.ts';
import { digestOf, parseTokens } from '../../store/io/http/token-file.ts';
import type { KVClusterSpecInput } from '../api/kvcluster.ts';
import { authSecret, TOKEN_ROLES } from './auth-secret.ts';
import { wantedStatefulSet } from './children.ts';
import { configMap } from './config-map.ts';
import { TEST_FACTS, testCluster } from './test-cluster.ts';

type Pod = {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds: number;
  readonly volumes: readonly Readonly<Record<string, unknown>>[];
  readonly containers: readonly {
    readonly securityContext: Readonly<Record<string, unknown>>;
    readonly volumeMounts: readonly {
      readonly name: string;
      readonly mountPath: string;
      readonly readOnly?: boolean;
    }[];
    readonly env: readonly { readonly name: string; readonly value?: string }[];
    readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  }[];
};

function pod(spec: KVClusterSpecInput = {}): Pod {
  const { spec: set } = wantedStatefulSet(testCluster(spec), TEST_FACTS);
  return (set as { template: { spec: Pod } }).template.spec;
}

test('pods keep to the pod security standard `restricted`', () => {
  const { securityContext, containers, volumes, automountServiceAccountToken } = pod();
  assert.equal(securityContext.runAsNonRoot, true);
  assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' });
  const allowed = [
    'configMap',
    'emptyDir',
    'secret',
    'projected',
    'persistentVolumeClaim',
    'downwardAPI',
    'name',
  ];
  for (const volume of volumes)
    for (const kind of Object.keys(volume)) assert.ok(allowed.includes(kind), kind);
  for (const { securityContext: own } of containers) {
    assert.equal(own.allowPrivilegeEscalation, false);
    assert.deepEqual(own.capabilities, { drop: ['ALL'] });
    assert.equal(own.readOnlyRootFilesystem, true);
  }
  assert.equal(automountServiceAccountToken, false);
});

test('only the volume and /tmp can be written to', () => {
  const { containers } = pod({ auth: { enabled: true }, tls: { peer: { secretName: 'peers' } } });
  const writable = containers.flatMap(({ volumeMounts }) =>
    volumeMounts.filter(({ readOnly }) => readOnly !== true),
  );
  assert.deepEqual(
    writable.map(({ mountPath }) => mountPath),
    ['/var/lib/kvorum', '/tmp'],
  );
});

const SECURE: KVClusterSpecInput = {
  auth: { enabled: true },
  tls: { peer: { secretName: 'peers' }, http: { secretName: 'clients' } },
};

test('each pod starts: the store takes its file and its environment, and nothing else is in them', () => {
  const config = { 'moves.partitionsMax': 8, 'storage.engine': 'leveldb' } as const;
  for (const spec of [
    {},
    { config },
    { replacePolicy: { mode: 'Manual' } },
    SECURE,
  ] satisfies KVClusterSpecInput[]) {
    const { 'kvorum.yaml': text } = configMap(testCluster(spec), TEST_FACTS).data as {
      'kvorum.yaml': string;
    };
    const environment = Object.fromEntries(
      (pod(spec).containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? 'demo-0']),
    );
    const { config: resolved } = resolveConfig({
      file: { path: 'kvorum.yaml', text },
      environment,
      flags: [],
    });
    assert.equal(resolved['node.name'], 'demo-0');
    assert.equal(resolved['node.dataDir'], '/var/lib/kvorum/data');
    assert.equal(resolved['cluster.id'], TEST_FACTS.clusterId);
    assert.deepEqual(resolved['cluster.seeds'], ['demo-peers.shop.svc:7401']);
    assert.equal(resolved['cluster.bootstrap'], false);
  }
  assert.ok(SETTING_NAMES.every((name) => environmentName(name) !== 'KVORUM_CONFIG'));
});

test('the tokens that are made are ones that the store takes, each with its role', () => {
  let made = 0;
  const secret = authSecret(testCluster(SECURE), () => `token-${made++}-of-enough-characters`);
  const data = secret.stringData as Readonly<Record<string, string>>;
  const table = parseTokens(data['tokens.yaml'] ?? '');
  for (const role of TOKEN_ROLES) assert.equal(table.get(digestOf(data[role] ?? ''))?.role, role);
});

test('the hook before the end leaves time for the process to end what is in flight', () => {
  const wait = (spec: KVClusterSpecInput): string | undefined =>
    pod(spec).containers[0]?.lifecycle.preStop.exec.command.at(-1);
  assert.equal(wait({}), '105');
  assert.equal(wait({ terminationGracePeriodSeconds: 60, config: { 'shutdown.graceMs': 30_000 } }), '25');
  assert.equal(wait({ terminationGracePeriodSeconds: 15 }), '0');
});
