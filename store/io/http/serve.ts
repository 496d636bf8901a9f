import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpSeries } from '../http-timings.ts';
import { answerError } from './answer.ts';
import { type Exchange, overloaded, settle } from './exchange.ts';
import type { HttpContext } from './http-context.ts';
import { HttpProblem } from './problem.ts';
import type { NeededRole } from './role.ts';
import type { Operation, Route } from './route.ts';

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

type Served = {
  readonly handle: Operation['handle'];
  readonly series: HttpSeries;
  readonly needs: NeededRole;
  readonly isProbe: boolean;
};

/** The handler of one route: finds the operation of the method, and serves it within the limits. */
export function serveRoute(context: HttpContext, route: Route): RequestHandler {
  const served = new Map<string, Served>();
  for (const [method, { handle, needs }] of Object.entries(route.operations)) {
    const series = context.metrics.httpSeries(route.template, method);
    served.set(method, { handle, series, needs, isProbe: route.isProbe === true });
  }
  const allow = Object.keys(route.operations).join(', ');
  const refused = refuse(context, route.template, (req) => methodNotAllowed(req, allow));
  return (req, res) => {
    const found = served.get(req.method as string) ?? refused;
    begin(context, found, req, res);
  };
}

export function serveUnknownRoute(context: HttpContext): RequestHandler {
  const refused = refuse(context, 'unknown', (req) => {
    const path = (req.url as string).split('?', 1)[0] as string;
    return new HttpProblem('ROUTE_NOT_FOUND', `There is no route ${JSON.stringify(path.slice(0, 200))}.`);
  });
  return (req, res) => begin(context, refused, req, res);
}

function refuse(context: HttpContext, route: string, why: (req: IncomingMessage) => HttpProblem): Served {
  const handle = async ({ req }: Exchange): Promise<void> => {
    throw why(req);
  };
  return { handle, series: context.metrics.httpSeries(route, 'other'), needs: 'none', isProbe: true };
}

function methodNotAllowed(req: IncomingMessage, allow: string): HttpProblem {
  return new HttpProblem('METHOD_NOT_ALLOWED', `${req.method} is not one of ${allow}.`, {}, ['Allow', allow]);
}

/** A pipelined request waits for the answers before it: it must see what the requests before it wrote. */
function begin(context: HttpContext, served: Served, req: IncomingMessage, res: ServerResponse): void {
  if (res.socket === null) res.once('socket', () => void run(context, served, req, res));
  else void run(context, served, req, res);
}

async function run(
  context: HttpContext,
  served: Served,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const startedMs = context.clock.monotonicMs();
  const { series, needs } = served;
  const counted = { requestBytes: 0, heldBytes: 0 };
  const exchange: Exchange = { context, req, res, series, startedMs, caller: undefined, ...counted };
  context.inFlight.requests++;
  try {
    checkLimits(exchange, served.isProbe);
    if (context.access !== undefined && needs !== 'none') exchange.caller = context.access.admit(req, needs);
    await served.handle(exchange);
  } catch (error) {
    answerError(exchange, error);
  } finally {
    settle(exchange);
  }
}

function checkLimits({ context, req }: Exchange, isProbe: boolean): void {
  const { headersMax } = context.options;
  const { expect, host } = req.headers;
  if (host === undefined && req.httpVersionMinor === 1)
    throw new HttpProblem('BAD_REQUEST', 'The header Host is missing.');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new HttpProblem('EXPECTATION_FAILED', 'Only 100-continue can be expected.');
  }
  if (req.rawHeaders.length > 2 * headersMax) {
    throw new HttpProblem('HEADERS_TOO_LARGE', `At most ${headersMax} headers are accepted.`);
  }
  if (!isProbe && context.inFlight.requests > context.inFlight.requestsMax) throw overloaded(context);
}
