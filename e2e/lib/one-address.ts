import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { ClusterNode } from './cluster-node.ts';

/** One address for many nodes, as a load balancer has it: each connection goes to the next of those that run. */
export class OneAddress implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next = 0;

  private constructor(nodes: () => readonly ClusterNode[]) {
    this.#server = createServer((client) => {
      const targets = nodes();
      const { httpPort, place } = targets[this.#next++ % targets.length] as ClusterNode;
      this.#join(client, connect(httpPort, place.httpHost));
    });
  }

  static async listen(nodes: () => readonly ClusterNode[]): Promise<OneAddress> {
    const address = new OneAddress(nodes);
    await new Promise<void>((resolve) => address.#server.listen(0, '127.0.0.1', resolve));
    return address;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What ends on one side ends on the other. */
  #join(...sides: readonly [Socket, Socket]): void {
    for (const [i, side] of sides.entries()) {
      const other = sides[1 - i] as Socket;
      this.#sockets.add(side);
      side.pipe(other);
      side.on('error', () => other.destroy());
      side.once('close', () => {
        this.#sockets.delete(side);
        other.destroy();
      });
    }
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
