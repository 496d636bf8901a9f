import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { KvorumConnectionError, KvorumResponseError } from '../client/src/index.ts';
import { SecureCluster, type TokenEntry } from './lib/secure-cluster.ts';
import { TestDirectory } from './lib/test-directory.ts';

/** Three real nodes that speak TLS and need tokens, as clients and the command line meet them. The tests follow each other. */
const opts = { timeout: 120_000 };
const entry = (role: string, name = role): TokenEntry => ({ name, role, token: `${name}-0123456789abcdef` });
const ROLES = ['metrics', 'read', 'write', 'admin'];
const TOKENS = ROLES.map((role) => entry(role));
const tokenOf = (name: string): string => entry('', name).token;
const directory = new TestDirectory();
let cluster: SecureCluster;
before(async () => {
  cluster = await SecureCluster.start(directory.path, 3, TOKENS);
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  directory[Symbol.dispose]();
});

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'ok',
    (error: Error) =>
      error instanceof KvorumResponseError || error instanceof KvorumConnectionError
        ? error.code
        : String(error),
  );

test(
  'a client with a token and the authority reads and writes, at every member; others do not',
  opts,
  async () => {
    await using client = cluster.client(tokenOf('write'), { batching: {} });
    await Promise.all(Array.from({ length: 200 }, (_, i) => client.put('default', `k${i}`, `v${i}`)));
    const { members } = await client.members();
    assert.deepEqual(
      members.map(({ httpAddress }) => httpAddress).toSorted(),
      cluster.nodes.map(({ url }) => url).toSorted(),
    );
    await client.refreshRing();
    await using reader = cluster.client(() => tokenOf('read'), { batching: {} });
    const values = await Promise.all(Array.from({ length: 200 }, (_, i) => reader.get('default', `k${i}`)));
    assert.ok(values.every((stored, i) => Buffer.from(stored?.value ?? '').toString() === `v${i}`));
    assert.equal(await code(reader.put('default', 'k0', 'x')), 'FORBIDDEN');
    assert.equal(await code(client.createNamespace('mine')), 'FORBIDDEN');
    await using metrics = cluster.client(tokenOf('metrics'));
    assert.equal(await code(metrics.get('default', 'k0')), 'FORBIDDEN');
    await using nobody = cluster.client(undefined);
    assert.equal(await code(nobody.get('default', 'k0')), 'UNAUTHENTICATED');
    await using wrong = cluster.client('wrong-0123456789abcdef');
    assert.equal(await code(wrong.put('default', 'k0', 'x')), 'UNAUTHENTICATED');
    await using untrusting = cluster.client(tokenOf('read'), { tls: {}, timeoutMs: 1000 });
    assert.match(await code(untrusting.get('default', 'k0')), /CONNECTION/);
    await using broken = cluster.client(() => assert.fail('no token today'));
    await assert.rejects(
      broken.get('default', 'k0'),
      /the function that gives the token failed: no token today/,
    );
    assert.equal(Buffer.from((await reader.get('default', 'k0'))?.value ?? '').toString(), 'v0');
  },
);

test(
  "the node that is asked need not be one that does the work: members take each other's word without tokens",
  opts,
  async () => {
    await using admin = cluster.client(tokenOf('admin'));
    const { leader } = await admin.cluster();
    const other = cluster.nodes.find(({ name }) => name !== leader?.name) as { readonly url: string };
    await using through = cluster.client(tokenOf('admin'), { url: other.url, ring: false });
    await through.createNamespace('made-elsewhere');
    await through.put('made-elsewhere', 'a', '1');
    assert.equal((await admin.listNamespaces()).filter(({ name }) => name === 'made-elsewhere').length, 1);
  },
);

test(
  'the command line: token and authority from flags and the environment, in every kind of command',
  opts,
  async () => {
    const file = `${directory.path}/admin.token`;
    writeFileSync(file, `${tokenOf('admin')}\n`, { mode: 0o600 });
    const flags = ['--token-file', file, '--ca', cluster.caFile];
    const environment = { KVORUM_TOKEN: tokenOf('admin'), KVORUM_CA: cluster.caFile };
    const ok = async (
      args: readonly string[],
      given: Record<string, string> = {},
      input = '',
    ): Promise<string> => {
      const [status, out, err] = await cluster.kvorum(args, given, input);
      assert.equal(status, 0, `${args.join(' ')}: ${out}${err}`);
      return out;
    };
    await ok([...flags, 'put', 'cli', 'one']);
    assert.equal(await ok(['get', 'cli'], environment), 'one');
    assert.equal(await ok(['get', 'cli'], { KVORUM_TOKEN_FILE: file, KVORUM_CA: cluster.caFile }), 'one');
    assert.match(await ok(['shell'], environment, 'set s shell\nget s\n'), /shell/);
    const dump = `${directory.path}/dump.ndjson`;
    await ok(
      ['-n', 'made-elsewhere', 'import', '-', '--format', 'ndjson', '--key', '{key}'],
      environment,
      '{"key":"i1","value":"x"}\n',
    );
    await ok(['-n', 'made-elsewhere', 'export', dump], environment);
    assert.match(readFileSync(dump, 'utf8'), /"key":"i1"/);
    assert.match(await ok(['nodes'], environment), /https:\/\/127\.0\.0\.1/);
    assert.match(await ok(['scan', '--local', 'kvorum-2', '--prefix', 'cli'], environment), /^cli\t/);
    const figures = JSON.parse(
      (await ok(['bench', '--duration', '1', '--connections', '4', '--output', 'json'], environment)).trim(),
    );
    assert.ok(
      figures.results.requests.value > 0 && figures.results.put_p50.value > 0,
      JSON.stringify(figures),
    );
  },
);

test('the command line says what is wrong with a token, an authority or a URL', opts, async () => {
  const ca = { KVORUM_CA: cluster.caFile };
  const cases: readonly (readonly [
    args: string[],
    given: Record<string, string>,
    status: number,
    message: RegExp,
  ])[] = [
    [['get', 'cli'], ca, 3, /UNAUTHENTICATED.*--token-file or KVORUM_TOKEN/s],
    [['put', 'cli', 'x'], { ...ca, KVORUM_TOKEN: tokenOf('read') }, 3, /FORBIDDEN.*role write/s],
    [['get', 'cli', '--timeout', '2000'], { KVORUM_TOKEN: tokenOf('read') }, 4, /--ca FILE/],
    [
      [
        '--url',
        cluster.nodes.map(({ url }) => url.replace('https', 'http')).join(','),
        'get',
        'cli',
        '--timeout',
        '2000',
      ],
      { KVORUM_TOKEN: tokenOf('read') },
      4,
      /begins with https/,
    ],
    [['--token-file', '/no/such', 'get', 'cli'], ca, 2, /--token-file cannot be read: ENOENT/],
    [['--ca', '/no/such', 'get', 'cli'], {}, 2, /--ca.* cannot be read: ENOENT/],
  ];
  for (const [args, given, status, message] of cases) {
    const [found, , err] = await cluster.kvorum(args, given);
    assert.equal(found, status, `${args.join(' ')}: ${err}`);
    assert.match(err, message);
    assert.ok(!err.includes('0123456789abcdef'), err);
  }
});

test('probes are open, metrics are not; no token is in any log', opts, async () => {
  const url = cluster.nodes[0]?.url as string;
  const status = async (path: string, token?: string): Promise<string> => {
    const header = token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`];
    return (await cluster.curl(['-o', '/dev/null', '-w', '%{http_code}', ...header, url + path]))[1];
  };
  assert.deepEqual(
    [
      await status('/livez'),
      await status('/readyz'),
      await status('/metrics'),
      await status('/metrics', tokenOf('metrics')),
    ],
    ['200', '200', '401', '200'],
  );
  const refused = await cluster.metric(
    'kvorum_http_auth_refused_total{reason="missing"}',
    tokenOf('metrics'),
  );
  assert.ok(refused.some((count) => (count ?? 0) > 0));
  const logs = [1, 2, 3].map((index) => cluster.process(index).log()).join('\n');
  assert.match(logs, /a request was refused/);
  assert.ok(!logs.includes('0123456789abcdef'));
});

/** Reads and writes with kept connections, and with a new one for each request, until it is told to stop. */
class Load {
  readonly failures: string[] = [];
  #isOver = false;
  /** By loop. */
  readonly #done = [0, 0, 0];
  readonly #loops: readonly Promise<void>[];

  constructor(token: () => string) {
    this.#loops = [this.#kept(token, 0), this.#kept(token, 1), this.#fresh(token, 2)];
  }

  /** Waits until each of the loops has begun a request after now and had its answer, and a few more. */
  async more(): Promise<void> {
    const before = [...this.#done];
    await cluster.until('the load stands still', async () =>
      this.#done.every((count, at) => count >= (before[at] as number) + 5),
    );
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #kept(token: () => string, number: number): Promise<void> {
    await using client = cluster.client(token, { retry: { attemptsMax: 1 } });
    while (!this.#isOver) await this.#once(client, number);
  }

  async #fresh(token: () => string, number: number): Promise<void> {
    for (let at = 0; !this.#isOver; at++) {
      const url = cluster.nodes[at % cluster.nodes.length]?.url as string;
      await using client = cluster.client(token, { url, ring: false, retry: { attemptsMax: 1 } });
      await this.#once(client, number);
    }
  }

  async #once(client: ReturnType<SecureCluster['client']>, number: number): Promise<void> {
    const key = `load-${number}`;
    try {
      const written = String(this.#done[number]);
      await client.put('default', key, written);
      assert.equal(Buffer.from((await client.get('default', key))?.value ?? '').toString(), written);
    } catch (error) {
      this.failures.push(String(error));
    }
    this.#done[number] = (this.#done[number] as number) + 1;
  }
}

test(
  'certificates are replaced under load, twice, and a wrong one between: no request fails',
  opts,
  async () => {
    const load = new Load(() => tokenOf('write'));
    const before = await Promise.all(cluster.nodes.map((node) => cluster.shown(node)));
    for (let round = 0; round < 2; round++) {
      cluster.writeCertificates();
      await cluster.showsNewest();
      await load.more();
      if (round > 0) continue;
      for (const node of cluster.nodes) writeFileSync(`${node.directory}/tls.pem`, 'no certificate');
      await cluster.until('nobody says that the files are wrong', async () =>
        (await cluster.metric('kvorum_http_file_stale{file="certificate"}', tokenOf('metrics'))).every(
          (value) => value === 1,
        ),
      );
    }
    await load.stop();
    const later = await Promise.all(cluster.nodes.map((node) => cluster.shown(node)));
    assert.ok(later.every((name, i) => name !== before[i]));
    assert.deepEqual(load.failures, []);
    assert.match(cluster.process(1).log(), /http\.tlsCert .* cannot be used/);
    const stale = await cluster.metric('kvorum_http_file_stale{file="certificate"}', tokenOf('metrics'));
    assert.deepEqual(stale, [0, 0, 0]);
  },
);

test(
  'a token is replaced under load: the new one beside the old, then alone; no request fails',
  opts,
  async () => {
    let token = tokenOf('write');
    const load = new Load(() => token);
    const accepted = (count: number): Promise<void> =>
      cluster.until(`not all nodes have ${count} tokens`, async () =>
        (await cluster.metric('kvorum_http_tokens', tokenOf('metrics'))).every((value) => value === count),
      );
    cluster.writeTokens([...TOKENS, entry('write', 'next')]);
    await accepted(5);
    token = tokenOf('next');
    await load.more();
    cluster.writeTokensText('tokens: [{name: half');
    await cluster.until('nobody says that the file is wrong', async () =>
      (await cluster.metric('kvorum_http_file_stale{file="tokens"}', tokenOf('metrics'))).every(
        (value) => value === 1,
      ),
    );
    cluster.writeTokens([...TOKENS.filter(({ name }) => name !== 'write'), entry('write', 'next')]);
    await accepted(4);
    await load.more();
    await load.stop();
    assert.deepEqual(load.failures, []);
    await using old = cluster.client(tokenOf('write'));
    assert.equal(await code(old.get('default', 'k0')), 'UNAUTHENTICATED');
  },
);

test(
  'kvorum nodes stop: with the role admin, also at another node than the one that is asked; not with less',
  opts,
  async () => {
    const given = { KVORUM_CA: cluster.caFile };
    const stop = (name: string) =>
      cluster.kvorum(['nodes', 'stop', 'kvorum-3'], { ...given, KVORUM_TOKEN: tokenOf(name) });
    const [status, , err] = await stop('next');
    assert.equal(status, 3, err);
    assert.match(err, /FORBIDDEN/);
    const [done, , said] = await stop('admin');
    assert.equal(done, 0, said);
    assert.equal(await cluster.process(3).exited, 0);
  },
);
