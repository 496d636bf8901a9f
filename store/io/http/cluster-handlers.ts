import type { z } from 'zod';
import { type ChangeResult, ClusterError, type ReadConsistency } from '../../cluster/cluster-admin.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import { answerJson } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { refuseQuery } from './namespace-handlers.ts';
import { readBody } from './read-body.ts';
import { whileAsked } from './request-signal.ts';
import { parseMemberTarget, rawQuery } from './request-target.ts';
import { checkBody, parseJson, parseQuery } from './validate.ts';

/** Answers from what this node knows, also where there is no quorum and whatever the query says, as probes do. */
export async function getCluster(exchange: Exchange): Promise<void> {
  answerJson(exchange, 200, exchange.context.cluster.status());
}

export async function listMembers(exchange: Exchange): Promise<void> {
  const { cluster } = exchange.context;
  await comeUpToDate(exchange, askedConsistency(exchange));
  answerJson(exchange, 200, { epoch: cluster.status().epoch, members: cluster.members() });
}

/** Of a request that has no other parameter. */
export function askedConsistency({ req, context }: Exchange): ReadConsistency | undefined {
  return parseQuery(context.schemas.consistencyQuery, rawQuery(req.url as string)).consistency;
}

/** Resolves once this node has come as far as `consistency` asks for: what it then tells is its own view. */
export async function comeUpToDate(
  exchange: Exchange,
  consistency: ReadConsistency = 'linearizable',
): Promise<void> {
  const { cluster } = exchange.context;
  const { epoch } = await whileAsked(exchange, (signal) => cluster.readTopology(consistency, signal));
  if (cluster.status().epoch < epoch) await catchUp(exchange, epoch);
}

/** The read may have been the leader's. */
async function catchUp(exchange: Exchange, epoch: Epoch): Promise<void> {
  const { cluster, options } = exchange.context;
  const before = toEpoch(epoch - 1);
  const wait = (signal: AbortSignal) => cluster.waitForEpoch(before, signal);
  const state = await whileAsked(exchange, wait, options.topologyWaitMsDefault);
  if (state.epoch >= epoch) return;
  throw new ClusterError('NO_LEADER', `This node has applied epoch ${state.epoch} of ${epoch}.`);
}

export async function bootstrapCluster(exchange: Exchange): Promise<void> {
  refuseQuery(exchange);
  const { cluster, schemas } = exchange.context;
  const request = await readChange(exchange, schemas.bootstrapBody);
  const { clusterId, created } = await cluster.bootstrap(request);
  answerJson(exchange, created ? 201 : 200, { clusterId, created });
}

export async function removeMember(exchange: Exchange): Promise<void> {
  const name = parseMemberTarget(exchange.req.url as string);
  refuseQuery(exchange);
  const { cluster } = exchange.context;
  answerChange(exchange, await whileAsked(exchange, (signal) => cluster.removeMember(name, signal)));
}

export async function patchMember(exchange: Exchange): Promise<void> {
  const name = parseMemberTarget(exchange.req.url as string);
  refuseQuery(exchange);
  const { cluster, schemas } = exchange.context;
  const change = await readChange(exchange, schemas.memberBody);
  answerChange(exchange, await whileAsked(exchange, (signal) => cluster.updateMember(name, change, signal)));
}

export async function transferLeadership(exchange: Exchange): Promise<void> {
  refuseQuery(exchange);
  const { cluster, schemas } = exchange.context;
  const { to } = await readChange(exchange, schemas.transferBody);
  const { leader } = await whileAsked(exchange, (signal) => cluster.transferLeadership(to, signal));
  answerJson(exchange, 200, { leader });
}

function answerChange(exchange: Exchange, { epoch, subject }: ChangeResult): void {
  answerJson(exchange, 200, { epoch, member: subject });
}

/** The body of a change; none is the same as `{}`. */
async function readChange<Shape extends z.core.$ZodLooseShape>(
  exchange: Exchange,
  schema: z.ZodObject<Shape>,
): Promise<z.output<z.ZodObject<Shape>>> {
  return checkBody(schema, await readDocument(exchange), () => Object.keys(schema.shape));
}

export async function readDocument(exchange: Exchange): Promise<unknown> {
  const body = await readBody(exchange, exchange.context.options.changeBodyBytesMax, 'BODY_TOO_LARGE');
  return body.length === 0 ? {} : parseJson(body);
}
