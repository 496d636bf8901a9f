/** Bytes that are no request. What is told is the text of Redis: `Protocol error: ` and the reason. The connection ends with it. */
export class RequestProtocolError extends Error {
  override readonly name = 'RequestProtocolError';

  constructor(reason: string) {
    super(`Protocol error: ${reason}`);
  }
}

/** A byte as it may stand in the line of an error: what would break the line, or the terminal, is a point. */
export function shown(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
}
