import { answerJson } from './answer.ts';
import { type Exchange, requireRole } from './exchange.ts';
import { iso } from './key-handlers.ts';
import { refuseQuery } from './namespace-handlers.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { parseNodeTarget, rawQuery } from './request-target.ts';
import { parseQuery } from './validate.ts';

/** A yes is noted for a while, so that no other node hears one that would break a quorum together with it; `look` only asks. */
export async function getCanStop(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const name = parseNodeTarget(req.url as string);
  const { look = false } = parseQuery(context.schemas.canStopQuery, rawQuery(req.url as string));
  // A yes keeps others from stopping for a while: that is more than to read.
  if (!look) requireRole(exchange, 'admin');
  const ask = (signal: AbortSignal) => context.cluster.canStop(name, { isLookOnly: look }, signal);
  const { untilMs, ...verdict } = await whileAsked(exchange, ask);
  const until = untilMs === undefined ? {} : { until: iso(untilMs) };
  answerJson(exchange, 200, { reasons: [], partitions: [], ...verdict, ...until });
}

/** Stops this node as SIGTERM does, and no other one. Whether it can be done without is for whoever asks to find out first. */
export async function stopNode(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { options, stop, status } = context;
  const asked = parseNodeTarget(req.url as string);
  refuseQuery(exchange);
  if (!options.remoteStop) {
    const detail =
      'http.remoteStop is off here, or is auto and this node listens beyond its own machine and needs no tokens.';
    throw new HttpProblem('REMOTE_STOP_OFF', detail);
  }
  // Whoever is on this machine may stop the node; a page that its browser shows is not.
  if (req.headers.origin !== undefined)
    throw new HttpProblem('REMOTE_STOP_OFF', 'A request that a web page makes stops no node.');
  const { name } = status();
  if (asked !== name) throw new HttpProblem('WRONG_NODE', `This is ${name}, not ${asked}.`, { node: name });
  answerJson(exchange, 202, { node: name });
  stop();
}
