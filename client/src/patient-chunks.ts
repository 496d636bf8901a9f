import type { IncomingMessage } from 'node:http';
import { KvorumTimeoutError } from './errors.ts';

/** The chunks of a body that is read; throws KvorumTimeoutError where one does not come within `timeoutMs`. */
export async function* patientChunks(
  response: IncomingMessage,
  timeoutMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = response[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await withinTime(() => chunks.next(), response, timeoutMs);
      if (done === true) return;
      yield value as Uint8Array;
    }
  } finally {
    response.destroy();
  }
}

async function withinTime<T>(
  next: () => Promise<T>,
  response: IncomingMessage,
  timeoutMs: number,
): Promise<T> {
  const timeout = new KvorumTimeoutError({ timeoutMs, executed: 'unknown', isRead: true });
  const timer = setTimeout(() => response.destroy(timeout), timeoutMs);
  try {
    return await next();
  } finally {
    clearTimeout(timer);
  }
}
