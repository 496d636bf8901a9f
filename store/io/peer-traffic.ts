import type { HelloRefusalCode } from '../peer/messages.ts';
import type { LinkStatus } from '../ports/transport.ts';
import type { PeerSnapshot } from './cluster-metrics.ts';
import type { TcpEvents } from './tcp/options.ts';

/**
 * What went over the links of this process since its start. A link takes its own figures with it when it ends, so the
 * totals are kept here, and what is true now (what waits, round trips) is asked of the links that there are.
 */
export class PeerTraffic implements Pick<TcpEvents, 'onBytes' | 'onDropped'> {
  #sentBytes = 0;
  #receivedBytes = 0;
  #droppedMessages = 0;
  readonly #refusedHandshakes: Partial<Record<HelloRefusalCode, number>> = {};

  onBytes(direction: 'sent' | 'received', bytes: number): void {
    if (direction === 'sent') this.#sentBytes += bytes;
    else this.#receivedBytes += bytes;
  }

  onDropped(): void {
    this.#droppedMessages += 1;
  }

  /** By either side. */
  onRefused(code: HelloRefusalCode): void {
    this.#refusedHandshakes[code] = (this.#refusedHandshakes[code] ?? 0) + 1;
  }

  snapshot(links: readonly LinkStatus[]): PeerSnapshot {
    return {
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      droppedMessages: this.#droppedMessages,
      queuedBytes: links.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0),
      links: links.flatMap(roundTripOf),
      refusedHandshakes: { ...this.#refusedHandshakes },
    };
  }
}

/** A peer has a name once its first handshake is done. */
function roundTripOf({ name, roundTripMs }: LinkStatus): PeerSnapshot['links'] {
  if (name === undefined || roundTripMs === undefined) return [];
  return [{ name, roundTripSeconds: roundTripMs / 1000 }];
}
