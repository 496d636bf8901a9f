import { toResponseError } from './failure.ts';
import { read } from './requests.ts';
import type { CallOptions, Transport } from './transport.ts';
import type { Check, NodeConfig, NodeStatus, Readiness } from './types.ts';
import { arrayIn, jsonOf, stringIn } from './wire.ts';

export async function nodeStatus(transport: Transport, options?: CallOptions): Promise<NodeStatus> {
  const json = jsonOf(await transport.call(read('/v1/status'), options));
  stringIn(json, 'name'); // the rest is for people: it is passed on as the node tells it
  return json as NodeStatus;
}

export async function nodeConfig(transport: Transport, options?: CallOptions): Promise<NodeConfig> {
  const json = jsonOf(await transport.call(read('/v1/config'), options));
  arrayIn(json, 'settings'); // the rest is for people: it is passed on as the node tells it
  return json as NodeConfig;
}

/** 503 is an answer here, not a failure, as long as it comes from the node and not from a proxy before it. */
export async function readiness(transport: Transport, options?: CallOptions): Promise<Readiness> {
  const answer = await transport.call({ ...read('/readyz'), statuses: [503] }, options);
  const isNodes = answer.headers['content-type']?.includes('json') === true;
  if (!isNodes) throw toResponseError(answer, { isRead: true });
  const json = jsonOf(answer);
  return { ready: answer.status === 200, checks: arrayIn(json, 'checks') as Check[] };
}
