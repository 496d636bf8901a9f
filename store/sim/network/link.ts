import type { Hello } from '../../peer/messages.ts';
import type { PeerError } from '../../ports/transport.ts';
import type { SimTransport } from './sim-transport.ts';

/** What waits for a link to open: sent then, or told why not. */
export type Waiting = { send(): void; fail(error: PeerError): void };

/** One end of a link. The other end may think differently of its state until it is told. */
export class LinkEnd {
  readonly owner: SimTransport;
  /** Where the peer can be reached: what was dialled, or what its hello said. */
  readonly address: string;
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** Undefined until the handshake got that far. */
  remote: LinkEnd | undefined;
  hello: Hello | undefined;
  /** What this end said of itself. */
  said: Hello | undefined;
  readonly waiting: Waiting[] = [];
  /** Requests that were sent and not answered, by how to end them. */
  readonly unanswered = new Set<(error: PeerError) => void>();
  /** Requests that this end serves. */
  readonly serving = new Set<AbortController>();
  sent = 0;

  constructor(owner: SimTransport, address: string) {
    this.owner = owner;
    this.address = address;
  }
}
