import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { ReplyWriter } from '../../core/resp/reply-writer.ts';
import type { Certificate } from '../http/certificate.ts';
import { type ListenAddress, listen } from '../listen.ts';
import type { Reloaded } from '../reloaded.ts';
import { Connection } from './connection.ts';
import { openTurns } from './flush-turns.ts';
import { KeyRouting } from './key-routing.ts';
import type { RespContext, RespDeps, SessionView } from './resp-context.ts';
import type { RespOptions } from './resp-options.ts';
import { ScanCursors } from './scan-cursors.ts';
import { Session } from './session.ts';

export type RespServer = {
  readonly address: ListenAddress;
  /** Stops accepting and reading, answers what is in flight, and cuts after `deadlineMs` what is not answered then. */
  close(deadlineMs: number): Promise<void>;
};

/** Looked at so often: who is silent for too long, who takes nothing. */
const LOOK_MS = 1000;
const CLOSE_LOOK_MS = 20;
const KEEP_ALIVE_MS = 300_000;
const CURSOR_LIVES = 2 ** 28;

/** Listens, and serves `deps.store` as docs/resp.md says. Rejects where it cannot listen. */
export async function startRespServer(options: RespOptions, deps: RespDeps): Promise<RespServer> {
  const connections = new Map<number, Connection & SessionView>();
  const server = createNodeServer(options, deps.certificate);
  const address = await listen(server, options);
  const own = { ...withMethods(deps), port: address.port };
  const context: RespContext = {
    ...own,
    options,
    inFlight: { commands: 0, bytes: 0, sweeps: 0 },
    limits: limitsOf(options),
    cursors: new ScanCursors({ cursorsMax: options.cursorsMax, life: randomInt(CURSOR_LIVES) }),
    routing: new KeyRouting(options, { slots: own, metrics: own.metrics }),
    sessions: connections,
    countRefused: (reason) => deps.metrics.countAuthRefused(reason),
  };
  accept(server, context, connections);
  deps.metrics.watchResp(() => ({
    connections: connections.size,
    inFlightCommands: context.inFlight.commands,
    inFlightBytes: context.inFlight.bytes,
  }));
  const looking = lookRegularly(context, connections);
  return {
    address,
    async close(deadlineMs) {
      await closeAll(server, context, connections, deadlineMs);
      looking[Symbol.dispose]();
    },
  };
}

function limitsOf(options: RespOptions): RespContext['limits'] {
  const { lineBytesMax, argumentsMax, requestBytesMax } = options;
  const { unknownArgumentsMax, unknownArgumentBytesMax } = options;
  return {
    known: { lineBytesMax, argumentsMax, requestBytesMax, argumentBytesMax: requestBytesMax },
    unknown: {
      lineBytesMax,
      argumentsMax: unknownArgumentsMax,
      argumentBytesMax: unknownArgumentBytesMax,
      requestBytesMax: unknownArgumentsMax * unknownArgumentBytesMax,
    },
  };
}

/** A spread keeps no methods of a prototype. */
function withMethods(deps: RespDeps): RespDeps {
  return { ...deps, data: () => deps.data(), status: () => deps.status() };
}

function createNodeServer(options: RespOptions, certificate: Reloaded<Certificate> | undefined): Server {
  const settings = {
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
  };
  if (certificate === undefined) return createServer(settings);
  const { handshakeTimeoutMs: handshakeTimeout } = options;
  const server = createTlsServer({ ...settings, ...certificate.value.options, handshakeTimeout });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  certificate.onChange((next) => server.setSecureContext(next.options));
  return server;
}

function accept(
  server: Server,
  context: RespContext,
  connections: Map<number, Connection & SessionView>,
): void {
  const writer = new ReplyWriter();
  const flushSoon = openTurns<Connection>(context.defer, (connection) => connection.flush());
  let lastId = 0;
  let sockets = 0;
  server.on('connection', (socket: Socket) => {
    sockets += 1;
    socket.once('close', () => {
      sockets -= 1;
    });
    if (sockets > context.options.connectionsMax) refuse(socket, context);
  });
  server.on(context.certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    if (socket.destroyed || socket.writableEnded) return;
    const session = sessionOf(socket, ++lastId, context.clock.nowMs());
    connections.set(session.id, new Connection({ context, socket, session, writer, flushSoon }));
    socket.once('close', () => connections.delete(session.id));
  });
}

/** Over TLS nobody could read it before the handshake. */
function refuse(socket: Socket, { metrics, certificate }: RespContext): void {
  metrics.countRespRefusedConnection();
  socket.on('error', () => {});
  if (certificate === undefined) socket.end('-ERR max number of clients reached\r\n');
  socket.destroySoon();
}

function sessionOf(socket: Socket, id: number, nowMs: number): Session {
  const { remoteAddress = '?', remotePort = 0, localAddress = '?', localPort = 0 } = socket;
  return new Session({
    id,
    address: `${remoteAddress}:${remotePort}`,
    localAddress: `${localAddress}:${localPort}`,
    beganAtMs: nowMs,
  });
}

function lookRegularly({ clock }: RespContext, connections: ReadonlyMap<number, Connection>): Disposable {
  const look = (): void => {
    const nowMs = clock.monotonicMs();
    const nowWallMs = clock.nowMs();
    for (const connection of connections.values()) connection.lookAfter(nowMs, nowWallMs);
    timer = clock.setTimer(LOOK_MS, look);
  };
  let timer = clock.setTimer(LOOK_MS, look);
  return { [Symbol.dispose]: () => timer.cancel() };
}

function closeAll(
  server: Server,
  { clock }: RespContext,
  connections: ReadonlyMap<number, Connection>,
  deadlineMs: number,
): Promise<void> {
  const endMs = clock.monotonicMs() + deadlineMs;
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const connection of connections.values()) connection.end();
    const sweep = (): void => {
      if (connections.size === 0) return;
      const isOver = clock.monotonicMs() >= endMs;
      for (const connection of connections.values()) if (isOver || connection.isDone) connection.destroy();
      clock.setTimer(CLOSE_LOOK_MS, sweep);
    };
    clock.setTimer(deadlineMs === 0 ? 0 : CLOSE_LOOK_MS, sweep);
  });
}
