import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** `port`, or where that is 0 one that is free on `host` now: a node says where it is reached before it listens there. */
export async function choosePort(host: string, port: number): Promise<number> {
  if (port !== 0) return port;
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const chosen = (server.address() as AddressInfo).port;
  server.close();
  await once(server, 'close');
  return chosen;
}
