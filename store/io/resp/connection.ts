import type { Socket } from 'node:net';
import { lowerName, printable } from '../../core/resp/arguments.ts';
import { RequestProtocolError } from '../../core/resp/protocol-error.ts';
import { failed, type Reply } from '../../core/resp/reply.ts';
import type { ReplyWriter } from '../../core/resp/reply-writer.ts';
import { type Request, type RequestLimits, RequestReader } from '../../core/resp/request-reader.ts';
import { Fifo } from '../tcp/fifo.ts';
import { Call, type CallOwner } from './call.ts';
import { overloaded } from './command-error.ts';
import { CommandOrder } from './command-order.ts';
import { NO_COMMAND } from './commands/command.ts';
import { findCommand } from './commands/find-command.ts';
import { PipelineWindow } from './pipeline-window.ts';
import { prepareCall } from './prepare-call.ts';
import { isKnown } from './resp-access.ts';
import type { RespContext } from './resp-context.ts';
import type { Session } from './session.ts';

export type ConnectionDeps = {
  readonly context: RespContext;
  readonly socket: Socket;
  readonly session: Session;
  /** Shared by all connections: what one writes it takes in the same turn. */
  readonly writer: ReplyWriter;
  /** Has `flush` called soon, once for all that is answered in this turn. */
  flushSoon(connection: Connection): void;
};

/** Held by a request that has not come whole, above which it counts as in flight. */
const UNCOUNTED_BYTES_MAX = 64 * 1024;
/** Written at once, above which the bytes count as in flight until the socket has passed them on. */
const WATCHED_WRITE_BYTES = 64 * 1024;
/** For so long a client may take the last answer and close its side. */
const LINGER_MS = 2000;
/** What a browser that was sent here by a page begins with: its requests must not be taken for commands. */
const OF_HTTP = new Set(['post', 'get/', 'host:']);

/**
 * One client: reads requests, runs commands side by side as far as their keys allow, and answers in the order of the requests. Reading stops
 * while enough is under way, or while the client does not take its answers.
 */
export class Connection implements CallOwner {
  readonly session: Session;
  readonly #context: RespContext;
  readonly #deps: ConnectionDeps;
  readonly #socket: Socket;
  readonly #reader: RequestReader;
  readonly #calls = new Fifo<Call>();
  readonly #order = new CommandOrder();
  readonly #window: PipelineWindow;
  /** Read, and kept from beginning by those before it. */
  #blocked: Call | undefined;
  #heldBytes = 0;
  #isWaitingForDrain = false;
  #isRunning = false;
  /** No more is read: the connection ends once what is under way is answered. */
  #isEnding = false;
  #hasInputEnded = false;
  #endedAtMs: number | undefined;
  #takenBytes = 0;
  #tookAtMs: number;

  constructor(deps: ConnectionDeps) {
    const { context, socket, session } = deps;
    this.#deps = deps;
    this.#context = context;
    this.session = session;
    this.#socket = socket;
    this.#reader = new RequestReader(this.#limits());
    this.#window = new PipelineWindow(context.options);
    this.#tookAtMs = context.clock.monotonicMs();
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onInputEnd());
    socket.on('close', () => this.#onClose());
    // What failed the 'close' that follows tells as well.
    socket.on('error', () => socket.destroy());
  }

  /** All is answered, and the client was told that nothing more comes. */
  get isDone(): boolean {
    return this.#endedAtMs !== undefined && this.#socket.writableFinished;
  }

  describe(nowMs: number): string {
    return this.session.describe(nowMs);
  }

  get isIdle(): boolean {
    return this.#order.open === 0 && this.#calls.length === 0;
  }

  /** Answers what is under way, then closes. */
  end(): void {
    this.#isEnding = true;
    this.#blocked = undefined;
    this.#deps.flushSoon(this);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Closes the connection where its client is silent, or takes nothing, for too long. */
  lookAfter(nowMs: number, nowWallMs: number): void {
    const { idleTimeoutMs, stallMsMax } = this.#context.options;
    if (this.#endedAtMs !== undefined && nowMs - this.#endedAtMs >= LINGER_MS) this.destroy();
    const { bytesWritten, writableLength } = this.#socket;
    const taken = bytesWritten - writableLength;
    if (taken !== this.#takenBytes || writableLength === 0) {
      this.#takenBytes = taken;
      this.#tookAtMs = nowMs;
    } else if (nowMs - this.#tookAtMs >= stallMsMax) this.destroy();
    if (idleTimeoutMs > 0 && this.isIdle && nowWallMs - this.session.lastActiveMs >= idleTimeoutMs)
      this.end();
  }

  answered(call: Call): void {
    this.#order.end(call);
    this.#context.inFlight.commands -= 1;
    if (!this.session.isGone) this.#countReply(call);
    if (!this.#isRunning) this.#deps.flushSoon(this);
  }

  /** Writes the answers that are due, in order, and goes on with what they kept waiting. */
  flush(): void {
    this.#writeDue();
    this.#run();
  }

  /** What still comes is thrown away for a while: closing at once could reset the connection under the last answer. */
  #endIfDone(): void {
    if (this.#endedAtMs !== undefined || this.#calls.length > 0 || this.#blocked !== undefined) return;
    if (!this.#isEnding && (!this.#hasInputEnded || this.#isWaitingForDrain)) return;
    this.#endedAtMs = this.#context.clock.monotonicMs();
    this.#socket.end();
    this.#socket.resume();
  }

  #onData(chunk: Uint8Array): void {
    if (this.#isEnding) return;
    this.session.lastActiveMs = this.#context.clock.nowMs();
    this.#reader.push(chunk);
    this.#run();
    this.#countHeld();
    this.#refuseTooMuch();
  }

  #onDrain(): void {
    this.#isWaitingForDrain = false;
    this.#run();
  }

  /** Whoever closes its side only still gets the answers to all that it has sent. */
  #onInputEnd(): void {
    this.#hasInputEnded = true;
    this.#deps.flushSoon(this);
  }

  #onClose(): void {
    this.#isEnding = true;
    this.session.isGone = true;
    this.#blocked = undefined;
    this.#context.inFlight.bytes -= this.#heldBytes;
    this.#heldBytes = 0;
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift())
      this.#context.inFlight.bytes -= call.bytes;
  }

  /** A value that waits for its turn to be sent takes memory too. */
  #countReply(call: Call): void {
    const bytes = call.reply === undefined ? 0 : bytesOf(call.reply);
    call.bytes += bytes;
    this.#context.inFlight.bytes += bytes;
  }

  /** Begins commands until none is left or enough are under way; then writes what is answered already. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      while (this.#runMany()) this.#writeDue();
    } catch (error) {
      this.#breakOff(error);
    } finally {
      this.#isRunning = false;
    }
    this.#writeDue();
    if (!this.#isEnding) this.#readOnOrNot();
    this.#endIfDone();
  }

  /** True where it ended for want of room only, and what is answered already will make some. */
  #runMany(): boolean {
    while (!this.#isEnding && this.#hasRoom()) if (!this.#runNext()) return false;
    return !this.#isEnding && !this.#isWaitingForDrain && this.#calls.first?.reply !== undefined;
  }

  #hasRoom(): boolean {
    return this.#calls.length < this.#window.size && !this.#isWaitingForDrain;
  }

  /** False where nothing can begin now. */
  #runNext(): boolean {
    const blocked = this.#blocked;
    if (blocked !== undefined) {
      if (!this.#order.mayBegin(blocked)) return false;
      this.#blocked = undefined;
      this.#begin(blocked);
      return true;
    }
    this.#reader.limits = this.#limits();
    const request = this.#reader.next();
    if (request === undefined) return false;
    // What it held while it came is from now on counted as the command.
    if (this.#heldBytes > 0) this.#countHeld();
    this.#take(request);
    return this.#blocked === undefined;
  }

  #take(request: Request): void {
    const context = this.#context;
    const { session } = this;
    const startedMs = context.clock.monotonicMs();
    const name = lowerName(request[0] as Uint8Array);
    if (OF_HTTP.has(name)) {
      this.#refuseHttp(name);
      return;
    }
    const command = findCommand(name) ?? NO_COMMAND;
    session.lastCommand = command.spec.name;
    const call = new Call({ context, session, startedMs }, command, request, this);
    const refusal = prepareCall(call, name);
    if (refusal === undefined && !this.#order.mayBegin(call)) this.#blocked = call;
    else this.#begin(call, refusal);
  }

  #begin(call: Call, refusal?: Reply): void {
    const { inFlight } = this.#context;
    this.#calls.push(call);
    inFlight.commands += 1;
    inFlight.bytes += call.bytes;
    this.#order.begin(call);
    call.isSilent = this.session.takeSilence();
    if (refusal === undefined) this.#handle(call);
    else call.answer(refusal);
  }

  #handle(call: Call): void {
    try {
      call.command.handle(call);
    } catch (error) {
      call.fail(error);
    }
    if (call.closesConnection) this.#isEnding = true;
  }

  #writeDue(): void {
    const { writer, context } = this.#deps;
    const isGone = this.#socket.destroyed || this.#socket.writableEnded;
    for (let call = this.#calls.first; call?.reply !== undefined; call = this.#calls.first) {
      this.#calls.shift();
      const before = writer.bytes;
      if (!isGone && !call.isSilent) writer.write(call.reply, call.protocol);
      this.#window.answered(writer.bytes - before);
      context.inFlight.bytes -= call.bytes;
      const tookMs = context.clock.monotonicMs() - call.startedMs;
      context.metrics.respSeries(call.command.spec.name).observe(tookMs / 1000, call.reply);
    }
    if (writer.bytes > 0) this.#send(writer.bytes, writer.take());
  }

  #send(bytes: number, pieces: readonly Uint8Array[]): void {
    const socket = this.#socket;
    const { inFlight, options } = this.#context;
    const isWatched = bytes > WATCHED_WRITE_BYTES;
    if (isWatched) inFlight.bytes += bytes;
    const passed = (): void => {
      inFlight.bytes -= bytes;
    };
    if (pieces.length > 1) socket.cork();
    for (const [at, piece] of pieces.entries())
      socket.write(piece, isWatched && at === pieces.length - 1 ? passed : undefined);
    if (pieces.length > 1) socket.uncork();
    this.#isWaitingForDrain = socket.writableNeedDrain && socket.writableLength > options.outputBytesMax;
  }

  #readOnOrNot(): void {
    const socket = this.#socket;
    if (this.#hasRoom() && this.#blocked === undefined) {
      if (socket.isPaused()) socket.resume();
    } else if (!socket.isPaused()) socket.pause();
  }

  #countHeld(): void {
    const { inFlight } = this.#context;
    const held = this.#isEnding ? 0 : this.#reader.heldBytes;
    const counted = held > UNCOUNTED_BYTES_MAX ? held : 0;
    inFlight.bytes += counted - this.#heldBytes;
    this.#heldBytes = counted;
  }

  #refuseTooMuch(): void {
    const { inFlight, options } = this.#context;
    if (this.#heldBytes > 0 && inFlight.bytes > options.inFlightBytesMax)
      this.#endWith(overloaded(this.#context));
  }

  #breakOff(error: unknown): void {
    const isOurs = !(error instanceof RequestProtocolError);
    if (isOurs) this.#context.log.error({ err: error }, 'a connection of RESP failed');
    else this.#context.metrics.countRespProtocolError();
    this.#endWith(`ERR ${isOurs ? 'INTERNAL the node failed; its log says why' : error.message}`);
  }

  /** The last answer of this connection, behind those that are due before it. */
  #endWith(text: string): void {
    const context = this.#context;
    const { session } = this;
    const call = new Call({ context, session, startedMs: context.clock.monotonicMs() }, NO_COMMAND, [], this);
    this.#blocked = undefined;
    this.#begin(call, failed(text));
    this.#isEnding = true;
    this.#deps.flushSoon(this);
  }

  #refuseHttp(name: string): void {
    this.#context.log.warn(
      { from: this.session.address, first: printable(Buffer.from(name), 16) },
      'a connection of RESP was closed: the other side speaks HTTP (http.port is the port for it)',
    );
    this.#isEnding = true;
  }

  /** Whoever is not known yet is allowed as little as a token takes. */
  #limits(): RequestLimits {
    const { known, unknown } = this.#context.limits;
    return isKnown(this.#context, this.session) ? known : unknown;
  }
}

/** Of the values in it. */
function bytesOf(reply: Reply): number {
  if (reply.type === 'bulk') return reply.value.length;
  if (reply.type !== 'array') return 0;
  return reply.items.reduce((sum, item) => sum + bytesOf(item), 0);
}
