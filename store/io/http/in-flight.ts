import type { HttpOptions } from './http-options.ts';

/** What is under way, and how much memory it holds: the two numbers that refuse work before it hurts. */
export type InFlight = {
  requests: number;
  bytes: number;
  /** Requests that wait for news and are not counted in `requests` meanwhile: they cost a connection and no work. */
  waiting: number;
  /** Verifications under way; they too are not counted in `requests`: others do their work. */
  verifies: number;
  readonly requestsMax: number;
  readonly bytesMax: number;
  readonly waitingMax: number;
  readonly verifiesMax: number;
};

export function createInFlight(options: HttpOptions): InFlight {
  return {
    ...{ requests: 0, bytes: 0, waiting: 0, verifies: 0 },
    get requestsMax() {
      return options.inFlightRequestsMax;
    },
    get bytesMax() {
      return options.inFlightBytesMax;
    },
    waitingMax: options.waitingRequestsMax,
    verifiesMax: options.verifiesMax,
  };
}

export function hasRoomFor(inFlight: InFlight, bytes: number): boolean {
  return inFlight.bytes + bytes <= inFlight.bytesMax;
}
