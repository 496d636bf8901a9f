import type { Hello, PeerMessage } from '../../peer/messages.ts';
import type { Timeline } from '../timeline.ts';
import type { Network } from './network.ts';
import type { SimTransport } from './sim-transport.ts';
import { FREEZING, type Wire } from './wire.ts';

/** What looks on at the network. */
export type NetworkWatch = {
  /** Before `message` leaves the process; also what will be lost. */
  onSend(from: SimTransport, message: PeerMessage): void;
  /** Before `message` is given to the process of `to`. */
  onDeliver(to: SimTransport, from: Hello, message: PeerMessage): void;
  /** A handshake ended well: what each side said. */
  onLink(own: Hello, peer: Hello): void;
};

export type SwitchboardDeps = {
  readonly network: Network;
  readonly timeline: Timeline;
  readonly watch: NetworkWatch;
  readonly wire?: Wire;
};

/** Who listens at which address. */
export class Switchboard {
  readonly network: Network;
  readonly timeline: Timeline;
  readonly watch: NetworkWatch;
  readonly wire: Wire;
  readonly #listeners = new Map<string, SimTransport>();

  constructor({ network, timeline, watch, wire = FREEZING }: SwitchboardDeps) {
    this.network = network;
    this.timeline = timeline;
    this.watch = watch;
    this.wire = wire;
  }

  listen(transport: SimTransport): void {
    this.#listeners.set(transport.address, transport);
  }

  silence(transport: SimTransport): void {
    if (this.#listeners.get(transport.address) === transport) this.#listeners.delete(transport.address);
  }

  at(address: string): SimTransport | undefined {
    return this.#listeners.get(address);
  }

  /** All of them, as a name that stands for many nodes resolves to. */
  addresses(): readonly string[] {
    return [...this.#listeners.keys()];
  }
}

/** The machine that `address` belongs to, also where nobody listens any more. */
export function machineOf(address: string): string {
  return address.slice(0, address.indexOf('.'));
}
