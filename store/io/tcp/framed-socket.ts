import type { Socket } from 'node:net';
import { type Frame, ProtocolError } from '../../peer/frame.ts';
import { FrameReader } from '../../peer/frame-reader.ts';
import { HELLO_BYTES_MAX, PART_BYTES_MAX } from '../../peer/limits.ts';
import { PartAssembly } from '../../peer/part-assembly.ts';
import { foreignProtocol } from './foreign-protocol.ts';
import { type Outgoing, outgoing, SendQueue } from './send-queue.ts';
import { explain } from './socket-error.ts';

export type FramedSocketOptions = { readonly frameBytesMax: number; readonly queueBytesMax: number };

export type FramedSocketDeps = {
  readonly socket: Socket;
  /**
   * A whole payload arrived. It lies in the chunk that the socket gave, which is written to once only: what is kept of it
   * stays as it is, and keeps the chunk (64 KiB) in memory. May throw ProtocolError.
   */
  onFrame(frame: Frame): void;
  /** Bytes went to the socket, or came from it. */
  onBytes(direction: 'sent' | 'received', bytes: number): void;
  /** Called once. */
  onClosed(error: Error | undefined): void;
};

/**
 * Frames over one connection. What is sent in one turn is written together, and no more is given to the socket than it
 * takes, so that an urgent frame overtakes everything that waits here.
 */
export class FramedSocket {
  readonly #deps: FramedSocketDeps;
  readonly #queue: SendQueue;
  readonly #reader = new FrameReader(HELLO_BYTES_MAX);
  readonly #parts: PartAssembly;
  #isFlushScheduled = false;
  #isEnding = false;
  #isGoodbyeSent = false;
  #isClosed = false;
  #error: Error | undefined;

  constructor(options: FramedSocketOptions, deps: FramedSocketDeps) {
    this.#deps = deps;
    this.#queue = new SendQueue({ bytesMax: options.queueBytesMax });
    this.#parts = new PartAssembly(options.frameBytesMax);
    const { socket } = deps;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#flush());
    socket.on('error', (error) => {
      this.#error ??= new Error(explain(error), { cause: error });
    });
    socket.on('close', () => this.#finish());
    // It may have ended before there was anybody to be told.
    if (socket.destroyed) setImmediate(() => this.#finish());
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get sentBytes(): number {
    return this.#deps.socket.bytesWritten;
  }

  get receivedBytes(): number {
    return this.#deps.socket.bytesRead;
  }

  /** From now on frames may have their full length: the handshake is done. */
  allowFullFrames(): void {
    this.#reader.payloadBytesMax = PART_BYTES_MAX;
  }

  /** False where the queue is full or the connection is ending. */
  send(item: Outgoing): boolean {
    if (this.#isEnding || this.#isClosed || !this.#queue.add(item)) return false;
    if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true;
      setImmediate(() => {
        this.#isFlushScheduled = false;
        this.#flush();
      });
    }
    return true;
  }

  cancel(item: Outgoing): void {
    this.#queue.cancel(item);
  }

  /** Sends what waits, says goodbye, and ends the connection. */
  end(): void {
    this.#isEnding = true;
    this.#flush();
  }

  /** Ends the connection at once. */
  destroy(error?: Error): void {
    this.#error ??= error;
    this.#deps.socket.destroy();
    this.#finish();
  }

  /** Ends the connection once what waits is written, without a goodbye. */
  refuse(item: Outgoing, error: Error): void {
    this.#error ??= error;
    this.send(item);
    this.#isGoodbyeSent = true;
    this.end();
  }

  #flush(): void {
    const { socket } = this.#deps;
    if (this.#isClosed || socket.destroyed || socket.writableEnded || socket.writableNeedDrain) return;
    socket.cork();
    let hasRoom = true;
    let sentBytes = 0;
    while (hasRoom) {
      const pieces = this.#queue.next() ?? this.#goodbye();
      if (pieces === undefined) break;
      for (const piece of pieces) {
        hasRoom = socket.write(piece);
        sentBytes += piece.length;
      }
    }
    socket.uncork();
    if (sentBytes > 0) this.#deps.onBytes('sent', sentBytes);
    if (this.#isEnding && this.#isGoodbyeSent && this.#queue.bytes === 0) socket.end();
  }

  #goodbye(): readonly Uint8Array[] | undefined {
    if (!this.#isEnding || this.#isGoodbyeSent) return undefined;
    this.#isGoodbyeSent = true;
    this.#queue.add(outgoing('goodbye', 'bulk'));
    return this.#queue.next();
  }

  #receive(chunk: Buffer): void {
    this.#deps.onBytes('received', chunk.length);
    try {
      for (const part of this.#reader.push(chunk)) {
        if (this.#isClosed) return;
        const frame = this.#parts.add(part);
        if (frame !== undefined) this.#deps.onFrame(frame);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const foreign = this.#isFirstChunk(chunk) ? foreignProtocol(chunk) : undefined;
      this.destroy(foreign === undefined ? error : new ProtocolError(foreign));
    }
  }

  #isFirstChunk(chunk: Buffer): boolean {
    return this.receivedBytes === chunk.length;
  }

  #finish(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deps.onClosed(this.#error);
  }
}
