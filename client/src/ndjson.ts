import { KvorumProtocolError } from './errors.ts';

/** No entry is longer than a full value in base64 with its key; what is longer is not a stream of entries. */
const LINE_BYTES_MAX = 128 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The lines of a stream of chunks, holding one line and one chunk at a time. Throws KvorumProtocolError where the
 * stream ends within a line.
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  let partsBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, at)]).toString();
      parts = [];
      partsBytes = 0;
      from = at + 1;
    }
    parts.push(chunk.subarray(from));
    partsBytes += chunk.length - from;
    if (partsBytes > LINE_BYTES_MAX)
      throw new KvorumProtocolError(`a line has more than ${LINE_BYTES_MAX} bytes`);
  }
  if (partsBytes > 0) throw new KvorumProtocolError('the stream ended within a line');
}
