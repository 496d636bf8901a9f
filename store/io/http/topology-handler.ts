import { type TopologyNamespace, type TopologyState, toEpoch } from '../../core/topology/types.ts';
import { answer } from './answer.ts';
import { matchesTag } from './entity-tag.ts';
import type { Exchange } from './exchange.ts';
import { iso } from './key-handlers.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { rawQuery } from './request-target.ts';
import { parseQuery } from './validate.ts';

/**
 * The topology of one epoch, which is its entity tag. With `after`, an epoch that the client has, the answer waits
 * until there is a later one, and is 304 where there was none in time.
 */
export async function getTopology(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { schemas, options, cluster } = context;
  const query = parseQuery(schemas.topologyQuery, rawQuery(req.url as string));
  const { consistency = 'linearizable', after, waitMs = options.topologyWaitMsDefault } = query;
  if (after === undefined && query.waitMs !== undefined) throw waitsForNothing();
  let state = await whileAsked(exchange, (signal) => cluster.readTopology(consistency, signal));
  if (after !== undefined && state.epoch <= after) state = await waitForChange(exchange, after, waitMs);
  answerTopology(exchange, state, after);
}

export function waitsForNothing(): HttpProblem {
  const detail = 'Parameter "waitMs" needs "after", the epoch above which an answer is wanted.';
  return new HttpProblem('BAD_PARAMETER', detail, { parameter: 'waitMs' });
}

/** A waiting request does no work: it counts against a limit of its own, not against that of the requests at work. */
export async function waitForChange(
  exchange: Exchange,
  after: number,
  waitMs: number,
): Promise<TopologyState> {
  const { cluster } = exchange.context;
  const wait = (signal: AbortSignal) => cluster.waitForEpoch(toEpoch(after), signal);
  return await asWaiting(exchange, () => whileAsked(exchange, wait, waitMs));
}

/** Runs `work`, which does nothing but wait for news. */
export async function asWaiting<Result>({ context }: Exchange, work: () => Promise<Result>): Promise<Result> {
  const { inFlight } = context;
  if (inFlight.waiting >= inFlight.waitingMax) {
    const detail = `${inFlight.waiting} requests wait for a change of the topology; no more are accepted.`;
    throw new HttpProblem('OVERLOADED', detail);
  }
  inFlight.waiting++;
  inFlight.requests--;
  try {
    return await work();
  } finally {
    inFlight.waiting--;
    inFlight.requests++;
  }
}

function answerTopology(exchange: Exchange, state: TopologyState, after: number | undefined): void {
  const etag = `"${state.epoch}"`;
  const headers = ['ETag', etag];
  const condition = exchange.req.headers['if-none-match'];
  const isNews = after === undefined || state.epoch > after;
  if (!isNews || (condition !== undefined && matchesTag(condition, etag))) {
    answer(exchange, 304, headers);
  } else {
    const body = bodyOf(state);
    headers.push('Content-Type', 'application/json', 'Content-Length', String(body.length));
    answer(exchange, 200, headers, body);
  }
}

/** Written once for all who wait: a change wakes them all at the same moment. States are never changed in place. */
const bodies = new WeakMap<TopologyState, Buffer>();

function bodyOf(state: TopologyState): Buffer {
  const known = bodies.get(state);
  if (known !== undefined) return known;
  const body = Buffer.from(JSON.stringify(topologyView(state)));
  bodies.set(state, body);
  return body;
}

function topologyView({
  clusterId,
  epoch,
  settings,
  members,
  partitions,
  namespaces,
}: TopologyState): object {
  return {
    clusterId,
    epoch,
    settings,
    members: [...members.values()].sort((a, b) => a.number - b.number),
    partitions,
    namespaces: Array.from(namespaces.values(), namespaceView).sort((a, b) => a.id - b.id),
  };
}

function namespaceView({ name, id, consistency, createdAtMs }: TopologyNamespace) {
  return { name, id, consistency, createdAt: iso(createdAtMs) };
}
