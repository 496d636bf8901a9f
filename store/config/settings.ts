import { z } from 'zod';
import { CLUSTER_SETTINGS, NODE_SETTINGS } from './cluster-settings.ts';
import { HTTP_SETTINGS } from './http-settings.ts';
import { GOSSIP_SETTINGS, PEER_SETTINGS } from './peer-settings.ts';
import { REPLICATION_SETTINGS } from './replication-settings.ts';
import { RESP_SETTINGS } from './resp-settings.ts';
import { liveSetting, ms, setting } from './setting.ts';
import { LIMIT_SETTINGS, STORAGE_SETTINGS } from './storage-settings.ts';

const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']);

/**
 * Every setting, in the order in which it is told of. Units come last in the name. The file, the environment, the flags,
 * `kvorum config` and docs/configuration.md all follow this table.
 */
export const SETTINGS = {
  ...NODE_SETTINGS,
  ...CLUSTER_SETTINGS,
  ...PEER_SETTINGS,
  ...REPLICATION_SETTINGS,
  ...GOSSIP_SETTINGS,
  ...HTTP_SETTINGS,
  ...RESP_SETTINGS,
  ...LIMIT_SETTINGS,
  ...STORAGE_SETTINGS,
  'shutdown.graceMs': setting<number>(
    ms(0, 600_000),
    10_000,
    'time for requests in flight to finish after SIGTERM',
  ),
  'log.level': liveSetting<z.infer<typeof logLevel>>(logLevel, 'info', 'least severity that is logged'),
} as const;

export type SettingName = keyof typeof SETTINGS;

/** The effective settings, by their names. */
export type Config = { readonly [K in SettingName]: (typeof SETTINGS)[K]['default'] };

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** `storage.reserveBytes` -> `KVORUM_STORAGE_RESERVE_BYTES`. */
export function environmentName(name: SettingName): string {
  return `KVORUM_${name
    .replace('.', '_')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase()}`;
}
