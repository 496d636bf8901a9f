import { parentPort } from 'node:worker_threads';
import type { HopMessage } from './thread-hop.ts';

/** The other thread of `bench thread-hop`: answers each batch of requests with a batch of as many answers. */
const port = parentPort;
if (port === null) throw new Error('hop-worker.ts runs as a worker thread');
port.on('message', ({ count, buffer }: HopMessage) => {
  // As a replica would: it reads each request, and writes an answer over it.
  const bytes = new Uint8Array(buffer);
  for (let i = 0; i < count; i++) bytes[i * (bytes.length / count)] = 1;
  port.postMessage({ count, buffer } satisfies HopMessage, [buffer]);
});
