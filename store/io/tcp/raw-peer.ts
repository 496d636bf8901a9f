import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { encodeBody } from '../../peer/codec.ts';
import { type Frame, type FrameKind, HEADER_BYTES, writeHeader } from '../../peer/frame.ts';
import { FrameReader } from '../../peer/frame-reader.ts';
import type { Hello } from '../../peer/messages.ts';

/** The bytes of one frame, also of one that is wrong: tests of bad peers. */
export function frameBytes(kind: FrameKind, payload: Uint8Array, change: Partial<Frame> = {}): Buffer {
  const head = new Uint8Array(HEADER_BYTES);
  const header = { kind, lane: 'urgent', hasMore: false, correlation: 0, ...change } as const;
  writeHeader(header, payload.length, head);
  return Buffer.concat([head, payload]);
}

export const helloBytes = (hello: Hello): Buffer => frameBytes('hello', encodeBody(hello));

/** The other end of a link, in bytes. It keeps what it got and does nothing by itself. */
export class RawPeer implements Disposable {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<unknown>;
  readonly #reader = new FrameReader(1 << 20);

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#reader.push(chunk)) {
        this.frames.push({ ...frame, payload: new Uint8Array(frame.payload) });
      }
      socket.emit('frames');
    });
  }

  static async connect(address: string): Promise<RawPeer> {
    const [host = '', port] = address.split(':');
    const peer = new RawPeer(connect(Number(port), host));
    await once(peer.socket, 'connect');
    return peer;
  }

  /** A frame of `kind`, once it has come. */
  async got(kind: FrameKind): Promise<Frame> {
    while (true) {
      const frame = this.frames.find((each) => each.kind === kind);
      if (frame !== undefined) return frame;
      await once(this.socket, 'frames');
    }
  }

  write(...all: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(all));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Listens, and gives every connection to `onPeer`. */
export async function rawListener(
  onPeer: (peer: RawPeer) => void,
): Promise<{ readonly address: string } & AsyncDisposable> {
  const peers: RawPeer[] = [];
  const server: Server = createServer((socket) => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    onPeer(peer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer.socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
