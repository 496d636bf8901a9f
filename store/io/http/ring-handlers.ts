import { ClusterError } from '../../cluster/cluster-admin.ts';
import type { DataAdmin, RingView } from '../../replication/data-admin.ts';
import { answer, answerJson } from './answer.ts';
import { bytesField } from './byte-text.ts';
import { explanationJson, statusJson } from './data-json.ts';
import { matchesTag } from './entity-tag.ts';
import type { Exchange } from './exchange.ts';
import { refuseQuery } from './namespace-handlers.ts';
import { HttpProblem } from './problem.ts';
import { whileAsked } from './request-signal.ts';
import { parseExplainTarget, parseLocateTarget, rawQuery } from './request-target.ts';
import { waitForChange, waitsForNothing } from './topology-handler.ts';
import { parseQuery } from './validate.ts';

export function dataOf({ context }: Exchange): DataAdmin {
  const data = context.data();
  if (data !== undefined) return data;
  throw new ClusterError('CLUSTER_FORMING', 'This node has no replicated data to tell of yet.');
}

/** The ring of one epoch of the topology, which is its entity tag; `after` waits as at /v1/topology. */
export async function getRing(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { schemas, options } = context;
  const { after, waitMs } = parseQuery(schemas.ringQuery, rawQuery(req.url as string));
  if (after === undefined && waitMs !== undefined) throw waitsForNothing();
  const data = dataOf(exchange);
  let ring = data.ring();
  if (after !== undefined && ring.epoch <= after) {
    await waitForChange(exchange, after, waitMs ?? options.topologyWaitMsDefault);
    ring = data.ring();
  }
  answerRing(exchange, ring, after);
}

function answerRing(exchange: Exchange, ring: RingView, after: number | undefined): void {
  const etag = `"${ring.epoch}"`;
  const condition = exchange.req.headers['if-none-match'];
  const isNews = after === undefined || ring.epoch > after;
  const isKnown = condition !== undefined && matchesTag(condition, etag);
  if (isNews && !isKnown) answerJson(exchange, 200, ring, ['ETag', etag]);
  else answer(exchange, 304, ['ETag', etag]);
}

export async function locateKey(exchange: Exchange): Promise<void> {
  const key = parseLocateTarget(exchange.req.url as string, exchange.context.options);
  refuseQuery(exchange);
  answerJson(exchange, 200, { ...bytesField('key', key), ...dataOf(exchange).locate(key) });
}

export async function explainKey(exchange: Exchange): Promise<void> {
  const { req, context } = exchange;
  const { namespace, key } = parseExplainTarget(req.url as string, context.options);
  refuseQuery(exchange);
  requireNamespace(exchange, namespace);
  const data = dataOf(exchange);
  const explanation = await whileAsked(exchange, (signal) => data.explain(namespace, key, signal));
  answerJson(exchange, 200, { namespace, ...bytesField('key', key), ...explanationJson(explanation) });
}

export async function getRepair(exchange: Exchange): Promise<void> {
  refuseQuery(exchange);
  answerJson(exchange, 200, statusJson(dataOf(exchange).status()));
}

export function requireNamespace({ context }: Exchange, name: string) {
  const namespace = context.store.getNamespace(name);
  if (namespace !== undefined) return namespace;
  const detail = `There is no namespace ${JSON.stringify(name)}.`;
  throw new HttpProblem('NAMESPACE_NOT_FOUND', detail, { namespace: name });
}
