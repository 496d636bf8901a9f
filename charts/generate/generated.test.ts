import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { clusterSpec } from '../../operator/api/kvcluster.ts';
import { KVORUM_VERSION } from '../../store/version.ts';
import { GENERATED } from './generated.ts';
import { valueRows } from './readme.ts';

/** `UPDATE_GOLDEN=1 ./dev.sh test charts` writes what is generated; read the diff. */
const CHARTS = new URL('../', import.meta.url);
const CAPABILITIES = ['Basic Install', 'Seamless Upgrades', 'Full Lifecycle', 'Deep Insights', 'Auto Pilot'];

for (const [path, make] of Object.entries(GENERATED)) {
  test(`${path} is current`, () => {
    const file = new URL(path, CHARTS);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, make());
    const written = existsSync(file) ? readFileSync(file, 'utf8') : '';
    assert.equal(written, make());
  });
}

test('Chart.yaml names this version, and its image', () => {
  const text = readFileSync(new URL('kvorum/Chart.yaml', CHARTS), 'utf8');
  const chart = parse(text) as { version: string; appVersion: string };
  assert.deepEqual([chart.version, chart.appVersion], [KVORUM_VERSION, KVORUM_VERSION]);
  assert.ok(text.includes(`image: ghcr.io/kvorum/kvorum:${KVORUM_VERSION}\n`));
});

test('Chart.yaml: what Artifact Hub reads is what it understands, and the icon is in this repository', () => {
  const chart = parse(readFileSync(new URL('kvorum/Chart.yaml', CHARTS), 'utf8')) as {
    readonly icon: string;
    readonly sources: readonly string[];
    readonly annotations: Readonly<Record<string, string>>;
  };
  const file = chart.icon.replace('https://raw.githubusercontent.com/kvorum/kvorum/main/', '../');
  assert.match(
    readFileSync(new URL(file, CHARTS), 'utf8'),
    /^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox=/,
  );
  const hub = (name: string): unknown => parse(chart.annotations[`artifacthub.io/${name}`] ?? '');
  assert.deepEqual(
    [hub('operator'), hub('prerelease'), hub('containsSecurityUpdates')],
    [true, false, false],
  );
  assert.ok(CAPABILITIES.includes(hub('operatorCapabilities') as string));
  const own = 'https://github.com/kvorum/kvorum/blob/main/';
  for (const { url } of hub('links') as readonly { readonly url: string }[])
    if (url.startsWith(own)) assert.ok(existsSync(new URL(`../${url.slice(own.length)}`, CHARTS)), url);
  const [example] = hub('crdsExamples') as readonly { readonly spec: unknown }[];
  assert.doesNotThrow(() => clusterSpec.parse(example?.spec));
  for (const { kind, description } of hub('changes') as readonly Record<string, string>[]) {
    assert.match(kind ?? '', /^(added|changed|deprecated|removed|fixed|security)$/);
    assert.ok(description);
  }
});

test('valueRows: what is above a value, with its path and its default; a value without a comment is an error', () => {
  const text = '# -- One\na: 1\nb:\n  # -- Two\n  c: [x]\n  # -- Three\n  d: {}\n';
  assert.deepEqual(valueRows(text), [
    { key: 'a', default: '1', description: 'One' },
    { key: 'b.c', default: '["x"]', description: 'Two' },
    { key: 'b.d', default: '{}', description: 'Three' },
  ]);
  assert.throws(() => valueRows('# -- One\na: 1\nb: 2\n'), /b has no comment/);
});
