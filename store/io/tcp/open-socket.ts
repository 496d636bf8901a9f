import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseAddress } from '../../peer/address.ts';
import { explain } from './socket-error.ts';
import type { TlsSource } from './tls-source.ts';

/** A connection to `address`, with TLS where there is a `tls`. Rejects with a reason for people. */
export async function openSocket(
  address: string,
  tls: TlsSource | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  const target = parseAddress(address);
  if (target === undefined) throw new Error(`"${address}" is no peer address: host:port, or [IPv6]:port`);
  if (tls === undefined) return connected(connectTcp(target), 'connect', signal);
  const secureContext = await tls.context();
  signal.throwIfAborted();
  // Identity is the authority's signature, never a host name: members change their addresses.
  const socket = connectTls({
    ...target,
    secureContext,
    minVersion: 'TLSv1.3',
    checkServerIdentity: () => undefined,
  });
  return connected(socket, 'secureConnect', signal);
}

function connected(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const onError = (error: Error): void => reject(new Error(explain(error)));
  const onClose = (): void => reject(new Error('the connection was closed by the other side'));
  const onAbort = (): void => {
    socket.destroy();
    reject(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('error', onError).once('close', onClose);
  socket.once(event, () => {
    signal.removeEventListener('abort', onAbort);
    // The error listener stays until the link has its own: resolving takes a turn.
    socket.off('close', onClose);
    resolve(socket);
  });
  return promise;
}
