import type { ClusterStatus } from '../../store/cluster/cluster-admin.ts';
import { type AdminAnswer, type AdminRequest, adminRequest } from './admin-request.ts';
import { freePort, type ServerOptions, ServerProcess } from './server-process.ts';

/** Where a process is run: in a network of its own it has other addresses, and a command in front. */
export type Place = {
  readonly httpHost: string;
  readonly peerHost: string;
  readonly prefix: readonly string[];
};

export const LOOPBACK: Place = { httpHost: '127.0.0.1', peerHost: '127.0.0.1', prefix: [] };

export type NodeSettings = NonNullable<ServerOptions['settings']>;

const STATUS_TIMEOUT_MS = 1500;

/** One node of a cluster of real processes: its directory and name stay, its ports and its process may change. */
export class ClusterNode {
  readonly index: number;
  readonly name: string;
  readonly directory: string;
  readonly place: Place;
  httpPort = 0;
  peerPort = 0;
  respPort = 0;
  #process: ServerProcess | undefined;
  #isPaused = false;

  constructor(options: { readonly index: number; readonly directory: string; readonly place: Place }) {
    this.index = options.index;
    this.name = `kvorum-${options.index}`;
    this.directory = `${options.directory}/node-${options.index}`;
    this.place = options.place;
  }

  /** Nodes in a network of their own cannot be tried for free ports from outside, and have all of them free. */
  async takePorts(): Promise<void> {
    this.httpPort = await freePort();
    this.peerPort = await freePort();
    this.respPort = await freePort();
  }

  get url(): string {
    return `http://${this.place.httpHost}:${this.httpPort}`;
  }

  /** Where it serves clients of Redis. */
  get respTarget(): { readonly host: string; readonly port: number } {
    return { host: this.place.httpHost, port: this.respPort };
  }

  get peerAddress(): string {
    return `${this.place.peerHost}:${this.peerPort}`;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && !this.#process.hasExited;
  }

  /** Runs and is not stopped by a signal. */
  get isAwake(): boolean {
    return this.isRunning && !this.#isPaused;
  }

  get process(): ServerProcess {
    if (this.#process === undefined) throw new Error(`${this.name} was not started`);
    return this.#process;
  }

  start(settings: NodeSettings, environment: NonNullable<ServerOptions['environment']> = {}): void {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    this.#isPaused = false;
    this.#process = ServerProcess.spawn({
      directory: this.directory,
      port: this.httpPort,
      host: this.place.httpHost,
      prefix: this.place.prefix,
      environment,
      settings: {
        'node.name': this.name,
        'cluster.bootstrap': 'false',
        'peer.host': this.place.peerHost,
        'peer.port': this.peerPort,
        'resp.host': this.place.httpHost,
        'resp.port': this.respPort,
        'storage.reserveBytes': 0,
        ...settings,
      },
    });
  }

  pause(): void {
    this.#isPaused = true;
    this.process.pause();
  }

  wake(): void {
    this.#isPaused = false;
    this.process.wake();
  }

  request<T = Record<string, unknown>>(path: string, request: AdminRequest = {}): Promise<AdminAnswer<T>> {
    return adminRequest<T>(`${this.url}${path}`, request);
  }

  /** Undefined where it does not answer in time. */
  async status(): Promise<ClusterStatus | undefined> {
    if (!this.isAwake) return undefined;
    const answer = await this.request<ClusterStatus>('/v1/cluster', { timeoutMs: STATUS_TIMEOUT_MS });
    return answer.type === 'ok' ? answer.body : undefined;
  }
}
