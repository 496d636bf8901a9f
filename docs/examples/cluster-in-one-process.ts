import { resolveConfig } from '../../store/config/resolve-config.ts';
import type { Config } from '../../store/config/settings.ts';
import { defer } from '../../store/io/defer.ts';
import { dnsResolver } from '../../store/io/dns-resolver.ts';
import { ENGINE_DEFAULTS, openEngine } from '../../store/io/open-engine.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import { tcpOptions } from '../../store/io/tcp/options.ts';
import { TcpTransport } from '../../store/io/tcp/tcp-transport.ts';
import { type KvorumNode, type NodeEvents, startNode } from '../../store/node/start-node.ts';

/**
 * A whole cluster in one process: three nodes, made by the same `startNode` as in production, on memory engines and real
 * sockets. It forms, keeps each key on all three, changes its topology, loses its leader and goes on, with its data. Run it
 * with `./dev.sh example cluster-in-one-process`.
 */
const DEADLINE_MS = 30_000;
const encoder = new TextEncoder();

type Running = { readonly name: string; readonly peerAddress: string; readonly node: KvorumNode };

async function start(name: string, seeds: readonly string[]): Promise<Running> {
  const config: Config = {
    ...resolveConfig({ environment: {}, flags: [] }).config,
    'node.name': name,
    'cluster.bootstrap': seeds.length === 0,
    'cluster.seeds': seeds,
    'cluster.seedIntervalMs': 100,
    'peer.port': 0,
  };
  const world = { clock: systemClock, random: systemRandom };
  const { engine } = await openEngine('memory', { ...ENGINE_DEFAULTS, location: '' }, world);
  const transport = new TcpTransport(tcpOptions(config), { ...world, events: SILENT_LINKS });
  const ports = { ...world, resolver: dnsResolver, transport, engine, defer };
  const node = await startNode(config, ports, SILENT);
  return { name, peerAddress: transport.address, node };
}

async function main(): Promise<void> {
  const first = await start('one', []);
  const others: Running[] = [];
  for (const name of ['two', 'three']) others.push(await start(name, [first.peerAddress]));
  const nodes = [first, ...others];
  await until('all vote', () => nodes.every(({ node }) => node.cluster.status().node.isVoter));
  await until('all are ready', () => nodes.every(({ node }) => node.readiness().every(({ ok }) => ok)));
  say(nodes, 'formed');

  const { signal } = new AbortController();
  await write(others[0] as Running, 'greeting', 'hello');
  console.log(`written at two, read at three: ${await read(others[1] as Running, 'greeting')}`);
  console.log(await explain(first, 'greeting', signal));
  await (others[0] as Running).node.cluster.createNamespace('orders', signal);
  say(nodes, 'a namespace was made through a follower');

  const leader = nodes.find(({ node }) => node.cluster.status().node.role === 'leader') as Running;
  await leader.node.stop();
  const rest = nodes.filter((each) => each !== leader);
  await until('another leads', () =>
    rest.every(({ node }) => (node.cluster.status().leader?.name ?? leader.name) !== leader.name),
  );
  await (rest[0] as Running).node.cluster.updateMember('one', { weight: 50 }, signal);
  say(rest, `${leader.name} stopped; the others go on`);
  const [reader, writer] = rest as [Running, Running];
  const before = await read(reader, 'greeting');
  await write(writer, 'greeting', 'hello again');
  console.log(`read with two of three: ${before}, then ${await read(reader, 'greeting')}`);
  await Promise.all(rest.map(({ node }) => node.stop()));
}

async function write({ node }: Running, key: string, text: string): Promise<void> {
  await node.store.put('default', encoder.encode(key), { value: encoder.encode(text) });
}

async function read({ node }: Running, key: string): Promise<string | undefined> {
  const record = await node.store.get('default', encoder.encode(key));
  return record === undefined ? undefined : new TextDecoder().decode(record.value);
}

/** Where the key is and whether it is safe, as `kvorum explain` says it. */
async function explain({ node }: Running, key: string, signal: AbortSignal): Promise<string> {
  const explanation = await node.data()?.explain('default', encoder.encode(key), signal);
  return explanation?.verdict ?? 'nothing is placed';
}

function say(nodes: readonly Running[], what: string): void {
  const leader = nodes[0]?.node.cluster.status().leader?.name;
  const epochs = nodes.map(({ name, node }) => `${name} ${node.cluster.status().epoch}`).join(', ');
  console.log(`${what}: leader ${leader}, epochs: ${epochs}`);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + DEADLINE_MS;
  while (!holds()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const SILENT: NodeEvents = {
  onStorageFailed: (error) => fail(error),
  onConsensusFailed: fail,
  onBackgroundError: fail,
  onPhase() {},
  onNotice() {},
  onRefused() {},
  onProposed() {},
  onReaped() {},
};

const SILENT_LINKS = {
  onProtocolError() {},
  onUnreachable() {},
  onLinkClosed() {},
  onRequestFailed() {},
  onDropped() {},
  onBytes() {},
  onTlsFilesError() {},
};

function fail(error: unknown): void {
  console.error(error);
  process.exitCode = 1;
}

await main();
