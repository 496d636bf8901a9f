import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, type ConfigSources, resolveConfig } from './resolve-config.ts';
import { environmentName, SETTING_NAMES, SETTINGS } from './settings.ts';

const NOTHING: ConfigSources = { environment: {}, flags: [] };
const file = (text: string): ConfigSources['file'] => ({ path: 'kvorum.yaml', text });

function problemsOf(sources: Partial<ConfigSources>): string {
  try {
    resolveConfig({ ...NOTHING, ...sources });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail('no problem was found');
}

test('every default is allowed, has a unit or a plain meaning, and an environment name of its own', () => {
  for (const name of SETTING_NAMES)
    assert.ok(SETTINGS[name].schema.safeParse(SETTINGS[name].default).success, name);
  assert.equal(new Set(SETTING_NAMES.map(environmentName)).size, SETTING_NAMES.length);
  assert.equal(environmentName('storage.reserveBytes'), 'KVORUM_STORAGE_RESERVE_BYTES');
});

test('http.tlsCert and http.tlsKey go together; http.advertise may say the scheme', () => {
  const set = (name: string, value: string) => ({ flags: [{ name, value, flag: `--set ${name}` }] });
  assert.match(problemsOf(set('http.tlsCert', 'a.pem')), /http\.tlsKey is not set/);
  assert.match(problemsOf(set('http.tlsKey', 'a.key')), /http\.tlsCert is not set/);
  for (const value of ['a:1', 'https://a:1', 'http://[::1]:1', ''])
    assert.equal(
      resolveConfig({ ...NOTHING, ...set('http.advertise', value) }).config['http.advertise'],
      value,
    );
  for (const value of ['a', 'https://a', 'ftp://a:1', 'https://a:1/x'])
    assert.match(problemsOf(set('http.advertise', value)), /http\.advertise is .*host:port/);
});

test('flags override the environment, which overrides the file, which overrides the defaults', () => {
  const sources = {
    file: file('http:\n  port: 1\n  host: a\nstorage:\n  engine: leveldb\n'),
    environment: { KVORUM_HTTP_PORT: '2', KVORUM_STORAGE_ENGINE: 'memory', PATH: '/bin' },
    flags: [{ name: 'http.port', value: '3', flag: '--http-port' }],
  };
  const { config, origins } = resolveConfig(sources);
  assert.equal(config['http.port'], 3);
  assert.equal(config['storage.engine'], 'memory');
  assert.equal(config['http.host'], 'a');
  assert.deepEqual(
    [origins['http.port'], origins['storage.engine'], origins['http.host'], origins['log.level']],
    ['flag --http-port', 'environment KVORUM_STORAGE_ENGINE', 'file kvorum.yaml', 'default'],
  );
});

test('all problems are told at once, each with its path, what is allowed, and where it came from', () => {
  const message = problemsOf({
    file: file('http:\n  port: high\nstorge:\n  engine: rocksdb\n'),
    environment: { KVORUM_CLUSTER_PARTITIONS: '100', KVORUM_HTPP_PORT: '1' },
    flags: [{ name: 'storage.engine', value: 'sqlite', flag: '--engine' }],
  });
  assert.match(message, /5 problems/);
  assert.match(message, /file kvorum\.yaml: http\.port is "high": .*expected number/);
  assert.match(
    message,
    /file kvorum\.yaml: there is no setting 'storge\.engine'; did you mean 'storage\.engine'\?/,
  );
  assert.match(message, /environment KVORUM_CLUSTER_PARTITIONS: cluster\.partitions is 100: a power of two/);
  assert.match(message, /environment KVORUM_HTPP_PORT: there is no such setting/);
  assert.match(message, /flag --engine: storage\.engine is "sqlite": .*"rocksdb"/);
});

test('a file that is not a mapping, or not YAML, is refused; an empty one is fine', () => {
  assert.match(problemsOf({ file: file('- a\n- b\n') }), /a mapping of sections is expected/);
  assert.match(problemsOf({ file: file('a: [1') }), /not YAML/);
  assert.equal(resolveConfig({ ...NOTHING, file: file('') }).config['http.port'], 7400);
});

test('variables that Kubernetes sets for a Service named kvorum are no settings', () => {
  const environment = {
    KVORUM_SERVICE_HOST: '10.0.0.1',
    KVORUM_PORT: 'tcp://10.0.0.1:7400',
    KVORUM_PORT_7400_TCP_ADDR: '10.0.0.1',
    KVORUM_URL: 'http://x',
  };
  assert.equal(resolveConfig({ ...NOTHING, environment }).config['http.port'], 7400);
});

test('settings that contradict each other are refused with what must hold', () => {
  const environment = { KVORUM_CLOCK_SKEW_MS_MAX: '300', KVORUM_REPLICATION_PROPAGATION_MS: '500' };
  const said = problemsOf({ environment });
  assert.match(said, /clock\.aheadMs \(400\) must be below clock\.skewMsMax \(300\)/);
  assert.match(said, /replication\.propagationMs \(500\) must be at least twice clock\.skewMsMax \(300\)/);
  assert.match(
    problemsOf({ environment: { KVORUM_REPLICATION_REQUEST_TIMEOUT_MS_MAX: '100' } }),
    /requestTimeoutMs \(5000\) must not be above/,
  );
});
