import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveConfig, settingsAs } from './live-config.ts';
import { ConfigError, resolveConfig } from './resolve-config.ts';
import { type Config, SETTING_NAMES, SETTINGS } from './settings.ts';

function configOf(flags: Readonly<Record<string, string>> = {}): Config {
  const asFlags = Object.entries(flags).map(([name, value]) => ({ name, value, flag: `--set ${name}` }));
  return resolveConfig({ environment: {}, flags: asFlags }).config;
}

test('take: a live setting counts at once, and whoever reads the configuration at each use follows', () => {
  const live = new LiveConfig(configOf());
  const options = settingsAs(live.config, { rate: 'moves.bytesPerSecond', bytesMax: 'hints.bytesMax' });
  const change = live.take(configOf({ 'moves.bytesPerSecond': '4096', 'log.level': 'debug' }));
  assert.deepEqual(change, { changed: ['moves.bytesPerSecond', 'log.level'], restartNeeded: [] });
  assert.deepEqual({ ...options }, { rate: 4096, bytesMax: SETTINGS['hints.bytesMax'].default });
  assert.equal(live.config['log.level'], 'debug');
});

test('take: any other setting stays what it was, is named, and is forgotten where it is taken back', () => {
  const live = new LiveConfig(configOf({ 'http.port': '0' }), { 'http.port': 1234 });
  const next = { 'http.port': '0', 'node.zone': 'b', 'cluster.seeds': 'a:1,b:2', 'hints.bytesMax': '5' };
  assert.deepEqual(live.take(configOf(next)).restartNeeded, ['node.zone', 'cluster.seeds']);
  assert.deepEqual([live.config['node.zone'], live.config['hints.bytesMax']], ['', 5]);
  assert.equal(live.config['http.port'], 1234);
  assert.deepEqual(live.restartNeeded, ['node.zone', 'cluster.seeds']);
  const back = live.take(configOf({ 'http.port': '0' }));
  assert.deepEqual(back, { changed: ['hints.bytesMax'], restartNeeded: [] });
});

test('take: nothing changes where live settings do not fit those that count until a restart', () => {
  const live = new LiveConfig(configOf());
  const longer = { 'replication.requestTimeoutMsMax': '600000', 'replication.requestTimeoutMs': '60000' };
  assert.deepEqual(live.take(configOf(longer)).changed, ['replication.requestTimeoutMs']);
  const start = { 'replication.requestTimeoutMsMax': '1000', 'replication.requestTimeoutMs': '1000' };
  const short = new LiveConfig(configOf(start));
  assert.throws(
    () => short.take(configOf(longer)),
    (error) => error instanceof ConfigError && /requestTimeoutMs .*before a restart/.test(error.message),
  );
  assert.equal(short.config['replication.requestTimeoutMs'], 1000);
  assert.deepEqual(short.restartNeeded, []);
});

test('onChange: each change is told, also one that changes nothing by now', () => {
  const live = new LiveConfig(configOf());
  const told: unknown[] = [];
  live.onChange((change) => told.push(change));
  live.take(configOf({ 'node.zone': 'b' }));
  live.take(configOf());
  assert.deepEqual(told, [
    { changed: [], restartNeeded: ['node.zone'] },
    { changed: [], restartNeeded: [] },
  ]);
});

test('settingsAs: what is not live is fixed, and what is given beside the settings is kept', () => {
  const config = { ...configOf() };
  const options = settingsAs(config, { zone: 'node.zone', level: 'log.level' }, { self: 3 });
  Object.assign(config, { 'node.zone': 'b', 'log.level': 'warn' });
  assert.deepEqual({ ...options }, { self: 3, zone: '', level: 'warn' });
});

test('settings by which nodes agree, or which are part of what they promised, are not live', () => {
  const isShared = /^(node|peer|raft|gossip|clock|limits)\.|^cluster\.(id|partitions|seeds)|propagation/;
  const shared = SETTING_NAMES.filter((name) => isShared.test(name));
  assert.ok(shared.length > 20);
  assert.deepEqual(
    shared.filter((name) => SETTINGS[name].isLive),
    [],
  );
});
