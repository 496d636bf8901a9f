import type { AddressInfo, Server } from 'node:net';

export type ListenAddress = { readonly host: string; readonly port: number };

/** Connections that may wait to be accepted; the kernel takes net.core.somaxconn where that is less. */
const BACKLOG = 1024;

/** Resolves with where the server listens, which is another port where 0 was asked for. Rejects where it cannot. */
export function listen(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      const address = server.address() as AddressInfo;
      resolve({ host: address.address, port: address.port });
    });
  });
}
