import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type {
  Hello,
  HelloRefusal,
  PackedMessage,
  PeerMessage,
  PeerReply,
  PeerRequest,
} from '../../peer/messages.ts';
import type { Transport } from '../../ports/transport.ts';
import { systemClock } from '../system-clock.ts';
import { systemRandom } from '../system-random.ts';
import type { TcpEvents, TcpOptions } from './options.ts';
import { TcpTransport } from './tcp-transport.ts';

export const TEST_OPTIONS: TcpOptions = {
  host: '127.0.0.1',
  port: 0,
  advertise: '',
  frameBytesMax: 1 << 20,
  queueBytesMax: 4 << 20,
  linksMax: 50,
  heartbeatMs: 50,
  idleTimeoutMs: 2000,
  connectTimeoutMs: 2000,
  reconnectMsMax: 50,
  unusedMsMax: 60_000,
  closeGraceMs: 500,
  tls: undefined,
};

export type Refused = {
  readonly address: string;
  readonly by: 'us' | 'them';
  readonly refusal: HelloRefusal;
  readonly peer: Hello | undefined;
};

/** A transport on loopback that writes down what happens to it. Tests change `judge` and `serve`. */
export class TestNode implements AsyncDisposable {
  readonly name: string;
  readonly transport: Transport;
  readonly messages: { readonly from: Hello; readonly message: PeerMessage }[] = [];
  readonly linked: Hello[] = [];
  readonly refused: Refused[] = [];
  /** Event names and their texts. */
  readonly log: string[] = [];
  clusterId: string | undefined = '0'.repeat(32);
  helloChange: Partial<Hello> = {};
  judge: (hello: Hello) => HelloRefusal | undefined = () => undefined;
  serve: (request: PeerRequest, signal: AbortSignal, from: Hello) => Promise<PeerReply> = async () => ({
    type: 'busy',
    message: 'nothing is served here',
  });
  /** Gets every message in place of `messages`, where it is set. */
  hear: ((from: Hello, message: PeerMessage) => void) | undefined;
  onUnlink: (address: string) => void = () => {};
  readonly #traffic = { sent: 0, received: 0, dropped: 0 };
  /** Added to the monotonic clock: a pause of the process, as its timers see it. */
  pausedMs = 0;
  readonly #life = randomUUID();
  readonly #changes = new EventEmitter().setMaxListeners(100);

  constructor(name: string, options: Partial<TcpOptions> = {}) {
    this.name = name;
    const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + this.pausedMs };
    const deps = { clock, random: systemRandom, events: this.#events() };
    this.transport = new TcpTransport({ ...TEST_OPTIONS, ...options }, deps);
  }

  static async start(name: string, options: Partial<TcpOptions> = {}): Promise<TestNode> {
    const node = new TestNode(name, options);
    await node.start();
    return node;
  }

  get traffic() {
    return { ...this.#traffic };
  }

  get address(): string {
    return this.transport.address;
  }

  async start(): Promise<void> {
    await this.transport.start({
      hello: () => this.hello(),
      judge: (hello) => this.judge(hello),
      onMessage: (from, message) => this.#hear(from, message),
      onRequest: (from, request, signal) => this.serve(request, signal, from),
      onLink: (peer) => this.#note(() => this.linked.push(peer)),
      onUnlink: (address) => this.onUnlink(address),
      onRefused: (address, by, refusal, peer) =>
        this.#note(() => this.refused.push({ address, by, refusal, peer })),
    });
  }

  hello(): Hello {
    return {
      protocolMin: 1,
      protocolMax: 1,
      name: this.name,
      directoryId: `directory-of-${this.name}`,
      peerAddress: this.address,
      version: '0.0.0',
      clusterId: this.clusterId,
      member: { number: 1, incarnation: 1, lives: [this.#life] },
      ...this.helloChange,
    };
  }

  /** Resolves once `holds` does; it is asked again after everything that happens here. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await once(this.#changes, 'change');
  }

  request(to: string, request: PeerRequest, timeoutMs = 5000): Promise<PeerReply> {
    return this.transport.request(to, request, { timeoutMs, signal: new AbortController().signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.transport.close();
  }

  #hear(from: Hello, message: PeerMessage): void {
    if (this.hear === undefined) this.#note(() => this.messages.push({ from, message }));
    else this.hear(from, message);
  }

  #note(change: () => void): void {
    change();
    this.#changes.emit('change');
  }

  #events(): TcpEvents {
    const write = (line: string): void => this.#note(() => this.log.push(line));
    return {
      onProtocolError: (_address, message) => write(`protocol error: ${message}`),
      onUnreachable: (_address, message) => write(`unreachable: ${message}`),
      onLinkClosed: (_address, reason) => write(`closed: ${reason}`),
      onRequestFailed: (_address, error) => write(`request failed: ${error}`),
      onDropped: () => this.#note(() => this.#traffic.dropped++),
      onBytes: (direction, bytes) => {
        this.#traffic[direction] += bytes;
      },
      onTlsFilesError: (message) => write(`tls: ${message}`),
    };
  }
}

export const ping = (sequence: number): PackedMessage => ({
  type: 'gossip',
  packet: { type: 'ping', sequence, from: 1, rumours: [] },
});
