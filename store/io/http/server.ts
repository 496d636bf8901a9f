import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import express, { type RequestHandler as ExpressHandler } from 'express';
import { type ListenAddress, listen } from '../listen.ts';
import type { Reloaded } from '../reloaded.ts';
import { Access } from './access.ts';
import type { Certificate } from './certificate.ts';
import { closeServer, type OpenSockets } from './close-server.ts';
import type { HttpContext, HttpDeps } from './http-context.ts';
import type { HttpOptions } from './http-options.ts';
import { createInFlight } from './in-flight.ts';
import { openApiDocument } from './openapi.ts';
import { answerClientError, answerConnect } from './raw-answer.ts';
import { routes } from './routes.ts';
import { createSchemas } from './schemas.ts';
import { type RequestHandler, serveRoute, serveUnknownRoute } from './serve.ts';

export type HttpServer = {
  readonly address: ListenAddress;
  /** Stops accepting, finishes what is in flight, and cuts after `deadlineMs` what is not finished then. */
  close(deadlineMs: number): Promise<void>;
};

/** Listens, and serves `deps.store` as docs/http-api.md says. Rejects where it cannot listen. */
export async function startHttpServer(options: HttpOptions, deps: HttpDeps): Promise<HttpServer> {
  const context = createContext(options, deps);
  const server = createNodeServer(context, requestListener(context));
  const sockets = watchConnections(server, context);
  const address = await listen(server, options);
  return { address, close: (deadlineMs) => closeServer(context, server, sockets, deadlineMs) };
}

function createContext(options: HttpOptions, deps: HttpDeps): HttpContext {
  const schemas = createSchemas(options);
  return {
    ...deps,
    status: () => deps.status(),
    settings: () => deps.settings(),
    readiness: () => deps.readiness(),
    stop: () => deps.stop(),
    options,
    schemas,
    inFlight: createInFlight(options),
    epochs: { applied: 0 },
    access: deps.tokens === undefined ? undefined : new Access(deps.tokens, deps),
    openApi: openApiDocument(routes, schemas, options, { areTokensNeeded: deps.tokens !== undefined }),
    closing: new AbortController(),
  };
}

/** The express application of the routes. The paths are matched as they came: handlers decode them themselves. */
export function createApp(context: HttpContext): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  for (const route of routes) app.route(route.pattern).all(serveRoute(context, route) as ExpressHandler);
  return app;
}

type Dispatch = (req: IncomingMessage, res: ServerResponse, done: (error?: unknown) => void) => void;

function requestListener(context: HttpContext): RequestHandler {
  const dispatch = createApp(context) as unknown as Dispatch;
  const notFound = serveUnknownRoute(context);
  return (req, res) => {
    const url = req.url as string;
    if (url[0] !== '/') req.url = originForm(url);
    dispatch(req, res, () => notFound(req, res));
  };
}

/** RFC 9112, 3.2.2: a server accepts `GET http://host/path` as well. */
function originForm(url: string): string {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path.startsWith('/') ? path : `/${path}`;
}

function createNodeServer({ options, certificate }: HttpContext, listener: RequestHandler): Server {
  const slowest = Math.min(options.headersTimeoutMs, options.requestTimeoutMs);
  const settings = {
    maxHeaderSize: options.headerBytesMax,
    headersTimeout: options.headersTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.ceil(Math.min(1000, slowest / 2)),
    noDelay: true,
    // The listener refuses a request without Host itself, with a problem document.
    requireHostHeader: false,
  };
  const server =
    certificate === undefined ? createServer(settings, listener) : tlsServer(certificate, settings, listener);
  server.timeout = options.idleSocketMsMax;
  // Node reads it for each connection that comes.
  Object.defineProperty(server, 'maxConnections', { get: () => options.connectionsMax });
  // Beyond it Node drops headers silently; one more than the limit is enough to see and refuse.
  server.maxHeadersCount = options.headersMax + 1;
  server.on('clientError', answerClientError);
  server.on('connect', (_req, socket) => answerConnect(socket as Socket));
  server.on('checkContinue', listener);
  server.on('checkExpectation', listener);
  return server;
}

/** Connections that are made from now on see another certificate once there is one; those that are open stay. */
function tlsServer(
  certificate: Reloaded<Certificate>,
  settings: ServerOptions,
  listener: RequestHandler,
): Server {
  const { headersTimeout = 0 } = settings;
  const server = createTlsServer(
    { ...settings, ...certificate.value.options, handshakeTimeout: headersTimeout },
    listener,
  );
  certificate.onChange(({ options }) => server.setSecureContext(options));
  return server;
}

function watchConnections(server: Server, context: HttpContext): OpenSockets {
  const sockets = new Set<Socket>();
  const requesting = context.certificate === undefined ? sockets : new Set<Socket>();
  const keepIn = (set: Set<Socket>) => (socket: Socket) => {
    set.add(socket);
    socket.once('close', () => set.delete(socket));
  };
  server.on('connection', keepIn(sockets));
  // Requests come on the sockets of TLS, which stand on those of the connections.
  if (requesting !== sockets) server.on('secureConnection', keepIn(requesting));
  server.on('drop', () => context.metrics.countRefusedConnection());
  context.metrics.watchHttp(() => ({
    connections: sockets.size,
    inFlightRequests: context.inFlight.requests,
    inFlightBytes: context.inFlight.bytes,
    waitingRequests: context.inFlight.waiting,
  }));
  return { sockets, requesting };
}
