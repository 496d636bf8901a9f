import { type Config, SETTING_NAMES, SETTINGS } from '../../store/config/settings.ts';
import { toEpoch } from '../../store/core/topology/types.ts';
import { systemClock } from '../../store/io/system-clock.ts';
import { systemRandom } from '../../store/io/system-random.ts';
import { type TcpEvents, tcpOptions } from '../../store/io/tcp/options.ts';
import { TcpTransport } from '../../store/io/tcp/tcp-transport.ts';
import type { Hello } from '../../store/peer/messages.ts';
import type { ReplicaReply, ReplicaRequest } from '../../store/peer/replica-messages.ts';
import { ReplicaLinks } from '../../store/replication/links/replica-links.ts';
import type { Defer } from '../../store/replication/links/turn.ts';
import type { ReplicaCall } from '../../store/replication/types.ts';

export type LinkLoad = { readonly requests: number; readonly frames: number; readonly cpuSeconds: number };

const VERSION = { wallMs: 1_780_000_000_000, counter: 1, member: 1 };
const KEY_BYTES = 16;
const nothing = (): void => {};
const EVENTS: TcpEvents = {
  onProtocolError: fail,
  onUnreachable: fail,
  onLinkClosed: nothing,
  onRequestFailed: fail,
  onDropped: nothing,
  onBytes: nothing,
  onTlsFilesError: fail,
};

function fail(...what: readonly unknown[]): never {
  throw new Error(`the links of the benchmark failed: ${what.join(' ')}`);
}

/** Two members in this process, linked over TCP, each with a replica that answers at once. */
export class LinkPair {
  readonly #transports: readonly TcpTransport[];
  readonly #links: readonly ReplicaLinks[];

  constructor(transports: readonly TcpTransport[], links: readonly ReplicaLinks[]) {
    this.#transports = transports;
    this.#links = links;
  }

  static async start({ defer }: { readonly defer: Defer }): Promise<LinkPair> {
    const defaults = SETTING_NAMES.map((name) => [name, SETTINGS[name].default]);
    const config = { ...(Object.fromEntries(defaults) as Config), 'peer.port': 0 };
    const deps = { clock: systemClock, random: systemRandom };
    const transports = [1, 2].map(() => new TcpTransport(tcpOptions(config), { ...deps, events: EVENTS }));
    const addressOf = (member: number): string => (transports[member - 1] as TcpTransport).address;
    const links = transports.map((transport, place) => {
      const options = {
        self: place + 1,
        frameBytesMax: config['replication.frameBytesMax'],
        replicaInFlightMax: config['replication.replicaInFlightMax'],
        replicaInFlightBytesMax: config['replication.replicaInFlightBytesMax'],
      };
      return new ReplicaLinks(options, { ...deps, defer, transport, addressOf, replica: echo(place + 1) });
    });
    for (const [place, transport] of transports.entries())
      await listen(transport, place + 1, links[place] as ReplicaLinks);
    return new LinkPair(transports, links);
  }

  /** Keeps `inFlight` requests of member 1 on their way to member 2 for `seconds`. */
  async load(
    make: (request: ReplicaRequest) => ReplicaRequest,
    inFlight: number,
    seconds: number,
  ): Promise<LinkLoad> {
    const [asker, server] = this.#links as readonly [ReplicaLinks, ReplicaLinks];
    const frames = (): number => asker.counters.framesSent + server.counters.framesSent;
    const before = { frames: frames(), cpu: process.cpuUsage() };
    const endMs = performance.now() + seconds * 1000;
    let requests = 0;
    const keepAsking = (resolve: () => void): void => {
      const request = make(requestOf(requests));
      asker.askWith(request, { timeoutMs: 5000 }, (outcome) => {
        if (outcome.type !== 'reply') fail(JSON.stringify(outcome));
        requests += 1;
        if (performance.now() < endMs) keepAsking(resolve);
        else resolve();
      });
    };
    await Promise.all(Array.from({ length: inFlight }, () => new Promise<void>(keepAsking)));
    const { user, system } = process.cpuUsage(before.cpu);
    return { requests, frames: frames() - before.frames, cpuSeconds: (user + system) / 1e6 };
  }

  async close(): Promise<void> {
    for (const links of this.#links) links.stop();
    await Promise.all(this.#transports.map((transport) => transport.close()));
  }
}

function requestOf(number: number): ReplicaRequest {
  const key = new Uint8Array(KEY_BYTES);
  key[0] = number;
  key[1] = number >>> 8;
  return { to: 2, partition: 1, epoch: toEpoch(7), namespaceId: 1, key, body: { type: 'ask' } };
}

const echo = (from: number) => ({
  answer: ({ request, done }: ReplicaCall): void => done(answer(from, request)),
  serveNow: (request: ReplicaRequest): ReplicaReply => answer(from, request),
});

function answer(from: number, { epoch, body }: ReplicaRequest): ReplicaReply {
  if (body.type === 'store') return { from, epoch, body: { type: 'held', version: VERSION } };
  const nowMs = VERSION.wallMs;
  const bounds = { version: VERSION, floor: VERSION, watermark: VERSION, clock: VERSION };
  return { from, epoch, body: { type: 'versions', ...bounds, nowMs } };
}

async function listen(transport: TcpTransport, number: number, links: ReplicaLinks): Promise<void> {
  const hello = (): Hello => ({
    protocolMin: 1,
    protocolMax: 1,
    name: `node-${number}`,
    directoryId: `directory-${number}`,
    peerAddress: transport.address,
    version: '0',
    clusterId: undefined,
    member: { number, incarnation: 1, lives: [`life-${number}`] },
  });
  await transport.start({
    hello,
    judge: () => undefined,
    onMessage: (from, message) => {
      if (message.type === 'replica') links.receive(from, message.batch);
    },
    onRequest: async () => ({ type: 'busy', message: '' }),
    onLink: nothing,
    onRefused: fail,
    onUnlink: (address) => links.onUnlink(address),
  });
}
