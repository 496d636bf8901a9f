import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorEntry } from './error-table.ts';
import { HttpProblem, problemDocument } from './problem.ts';

type ClientError = Error & { readonly code?: string; readonly rawPacket?: Buffer };

const REQUEST_LINE = /^[A-Z][A-Z-]{2,23} \S+ HTTP\/1\.[01]/;
const ALL_METHODS = 'GET, HEAD, PUT, POST, PATCH, DELETE';

/** Answers what Node's parser or its timeouts refused, before there is a request to serve. */
export function answerClientError(error: ClientError, socket: Socket): void {
  const message = responseUnderWay(socket);
  // An answer that has begun, or belongs to an earlier request of the pipeline, must not be cut into; who fails to speak TLS reads none.
  const isLate = message !== undefined && (message.headersSent || message.req.complete);
  const isTls = error.code !== undefined && /^(ERR_SSL|ERR_TLS|EPROTO)/.test(error.code);
  if (isLate || isTls || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  writeProblem(socket, clientProblem(error));
}

/** CONNECT, which Node hands over without a response. */
export function answerConnect(socket: Socket): void {
  writeProblem(socket, methodProblem('CONNECT'));
}

/** The response that Node has attached to a connection; it has no public name for it. */
export function responseUnderWay(socket: Socket): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

function clientProblem(error: ClientError): HttpProblem {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem('HEADERS_TOO_LARGE', 'The request line and the headers are too large.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new HttpProblem('BODY_TOO_LARGE', 'The chunk extensions are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem('REQUEST_TIMEOUT', 'The request was not complete in time.');
    case 'HPE_INVALID_METHOD': {
      const line = error.rawPacket?.subarray(0, 200).toString('latin1') ?? '';
      if (REQUEST_LINE.test(line)) return methodProblem(line.slice(0, line.indexOf(' ')));
      return new HttpProblem('BAD_REQUEST', 'This is not HTTP.');
    }
    default:
      return new HttpProblem('BAD_REQUEST', `The request cannot be parsed: ${error.message.slice(0, 200)}.`);
  }
}

function methodProblem(method: string): HttpProblem {
  return new HttpProblem('METHOD_NOT_ALLOWED', `${method} is not one of ${ALL_METHODS}.`, {}, [
    'Allow',
    ALL_METHODS,
  ]);
}

function writeProblem(socket: Socket, problem: HttpProblem): void {
  const { status } = errorEntry(problem.code);
  const body = JSON.stringify(problemDocument(problem));
  const allow = problem.headers.length === 0 ? '' : `${problem.headers[0]}: ${problem.headers[1]}\r\n`;
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n${allow}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  socket.destroySoon();
}
