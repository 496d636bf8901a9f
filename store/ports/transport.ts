/**
 * Messages between nodes. Delivery is at most once, in no order, and may fail silently: whoever sends must
 * not depend on more. The codec and the connections are the transport's own matter.
 */
export type Transport = {
  /** Sends to the peer at `address` (host:port); a message that cannot be sent is dropped and counted. */
  send(address: string, message: Uint8Array): void;
  /** The one receiver of whatever arrives. */
  onMessage(receive: (from: string, message: Uint8Array) => void): void;
  close(): Promise<void>;
};
