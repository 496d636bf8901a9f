import { z } from 'zod';
import { inconsistencies } from '../../store/config/consistency.ts';
import { type Config, SETTING_NAMES, SETTINGS, type SettingName } from '../../store/config/settings.ts';

/**
 * `spec.config`: settings of the store by their names in docs/configuration.md. Each has its own type and range in the CRD, so
 * that `kubectl explain kvc.spec.config` lists them and the API server refuses a wrong one where it is written.
 */

/** Settings that the operator gives every node, with what to set instead. */
const OWNED: Readonly<Record<string, string>> = {
  'node.name': 'it is the name of the pod',
  'node.dataDir': 'it is the volume of the pod; see spec.storage',
  'node.zone': 'it comes from the node that the pod runs on; see spec.topologySpread.topologyKey',
  'cluster.bootstrap': 'the operator makes the cluster once',
  'cluster.id': 'the operator draws it once and keeps it in status.clusterId',
  'cluster.seeds': 'they are the pods of this KVCluster',
  'cluster.partitions': 'set spec.partitions',
  'cluster.replicationFactor': 'set spec.replicationFactor',
  'cluster.initialMembers': 'the data is placed as soon as there are enough members',
  'cluster.replaceMemberAfterMs': 'set spec.replacePolicy',
  'peer.host': 'pods listen on all their addresses',
  'peer.port': 'it is 7401',
  'peer.advertise': 'it is the name of the pod in the headless Service',
  'peer.tlsCert': 'set spec.tls.peer',
  'peer.tlsKey': 'set spec.tls.peer',
  'peer.tlsCa': 'set spec.tls.peer',
  'http.host': 'pods listen on all their addresses',
  'http.port': 'it is 7400; the port of the Service is spec.service.ports.http',
  'http.advertise': 'it is the name of the pod in the headless Service',
  'http.remoteStop': 'pods are stopped by Kubernetes',
  'http.tlsCert': 'set spec.tls.http',
  'http.tlsKey': 'set spec.tls.http',
  'http.tokensFile': 'set spec.auth',
  'resp.enabled': 'set spec.resp.enabled',
  'resp.host': 'pods listen on all their addresses',
  'resp.port': 'it is 6379; the port of the Service is spec.service.ports.resp',
  'resp.advertise': 'it is the name of the pod in the headless Service',
};

export function isOwned(name: SettingName): boolean {
  return Object.hasOwn(OWNED, name);
}

export const OWNED_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter(isOwned);

/** Why an owned setting is refused, and what to do. */
export function ownedMessage(name: SettingName): string {
  return `${name} cannot be set in spec.config: ${OWNED[name]}. Remove it.`;
}

/** The settings that a user may give, and no others. */
export type StoreConfig = { readonly [K in SettingName]?: Config[K] | undefined };

const shape = Object.fromEntries(
  SETTING_NAMES.map((name) => [
    name,
    SETTINGS[name].schema.optional().meta({ description: SETTINGS[name].help }),
  ]),
);

const typed = z.object(shape) as unknown as z.ZodType<StoreConfig, StoreConfig>;

export const storeConfig = typed.superRefine((config, context) => {
  for (const message of storeConfigProblems(config)) context.addIssue({ code: 'custom', message });
});

/** What the types alone do not say: owned settings, and settings that do not fit each other. */
export function storeConfigProblems(config: StoreConfig): readonly string[] {
  const owned = OWNED_SETTINGS.filter((name) => config[name] !== undefined).map(ownedMessage);
  return [...owned, ...inconsistencies(withDefaults(config))];
}

function withDefaults(config: StoreConfig): Config {
  const value = (name: SettingName): unknown => config[name] ?? SETTINGS[name].default;
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, value(name)])) as unknown as Config;
}
