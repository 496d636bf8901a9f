import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Undefined where all is well, else what is wrong. */
export type Check = () => string | undefined;

export type OperatorHttpOptions = {
  readonly host?: string;
  /** 0 for any free one. */
  readonly port: number;
};

export type OperatorHttpDeps = {
  /** By name: false means that a restart of the process would help. */
  readonly live: Readonly<Record<string, Check>>;
  /** By name: false means that it cannot do its work yet, or not any longer. */
  readonly ready: Readonly<Record<string, Check>>;
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
};

export type OperatorHttpServer = AsyncDisposable & {
  readonly port: number;
  close(): Promise<void>;
};

const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 100;
const HEADER_BYTES_MAX = 16 * 1024;

/** /livez, /readyz and /metrics for Kubernetes and Prometheus. Nothing can be changed through it. */
export async function startOperatorHttp(
  { host = '::', port }: OperatorHttpOptions,
  deps: OperatorHttpDeps,
): Promise<OperatorHttpServer> {
  const options = { requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: HEADER_BYTES_MAX };
  const server = createServer(options, (request, response) => {
    answer(request, deps).then(
      (answered) => send(response, answered),
      (error: unknown) => send(response, text(500, `${(error as Error).message}\n`)),
    );
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, port, host);
  const close = (): Promise<void> => closeServer(server);
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close };
}

type Answer = { readonly status: number; readonly contentType: string; readonly body: string };

const PATHS = 'this server has /livez, /readyz and /metrics\n';

async function answer(request: IncomingMessage, { live, ready, metrics }: OperatorHttpDeps): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return text(405, `${request.method}: GET only; ${PATHS}`);
  switch (request.url?.split('?')[0]) {
    case '/livez':
      return report(live);
    case '/readyz':
      return report(ready);
    case '/metrics':
      return { status: 200, contentType: metrics.contentType, body: await metrics.metrics() };
    default:
      return text(404, PATHS);
  }
}

/** A line for each check, as the API server's own /readyz?verbose has them. */
function report(checks: Readonly<Record<string, Check>>): Answer {
  const found = Object.entries(checks).map(([name, check]) => ({ name, wrong: check() }));
  const lines = found.map(({ name, wrong }) =>
    wrong === undefined ? `[+] ${name} ok` : `[-] ${name}: ${wrong}`,
  );
  const isWell = found.every(({ wrong }) => wrong === undefined);
  return text(isWell ? 200 : 503, `${[...lines, isWell ? 'ok' : 'not ok'].join('\n')}\n`);
}

function text(status: number, body: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
