import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpContext } from './http-context.ts';
import { responseUnderWay } from './raw-answer.ts';

const SWEEP_MS = 20;

export type OpenSockets = {
  /** Of the connections. */
  readonly sockets: ReadonlySet<Socket>;
  /** Those that requests come on: the same, or those of TLS on top of them once their handshake is done. */
  readonly requesting: ReadonlySet<Socket>;
};

/**
 * New connections are refused at once. Requests that are under way are finished, and answers from now on tell
 * the client to close; connections without a request are closed. What is left at the deadline is cut.
 */
export function closeServer(
  context: HttpContext,
  server: Server,
  { sockets, requesting }: OpenSockets,
  deadlineMs: number,
): Promise<void> {
  context.closing.abort();
  const endMs = context.clock.monotonicMs() + deadlineMs;
  return new Promise((resolve) => {
    server.close(() => resolve());
    const sweep = (): void => {
      if (sockets.size === 0) return;
      const isOver = context.clock.monotonicMs() >= endMs;
      for (const socket of requesting) if (isOver || responseUnderWay(socket) === undefined) socket.destroy();
      if (isOver) for (const socket of sockets) socket.destroy();
      context.clock.setTimer(SWEEP_MS, sweep);
    };
    // One turn of grace: a request may have arrived and not been read yet.
    context.clock.setTimer(SWEEP_MS, sweep);
  });
}
