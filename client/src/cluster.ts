import { percentEncode } from './bytes.ts';
import type {
  BootstrapOptions,
  ClusterStatus,
  MemberChange,
  MemberList,
  MemberUpdate,
  ReadConsistency,
  Topology,
  TopologyQuery,
} from './cluster-types.ts';
import { read } from './requests.ts';
import type { CallOptions, Request, Transport } from './transport.ts';
import { arrayIn, asObject, type Json, jsonOf, numberIn, stringIn } from './wire.ts';

const WAIT_MS = 20_000;

// What people look at is passed on as the node tells it, behind a look at whether it is a Kvorum node that tells it.

export async function clusterStatus(transport: Transport, options?: CallOptions): Promise<ClusterStatus> {
  const json = jsonOf(await transport.call(read('/v1/cluster'), options));
  stringIn(asObject(json.node), 'name');
  stringIn(asObject(json.quorum), 'state');
  return json as ClusterStatus;
}

export async function listMembers(
  transport: Transport,
  options: { readonly consistency?: ReadConsistency } & CallOptions = {},
): Promise<MemberList> {
  const json = jsonOf(await transport.call(read(`/v1/members${consistencyQuery(options)}`), options));
  numberIn(json, 'epoch');
  arrayIn(json, 'members');
  return json as MemberList;
}

/** Undefined where `after` was given and nothing is later. */
export async function readTopology(
  transport: Transport,
  query: TopologyQuery & CallOptions = {},
): Promise<Topology | undefined> {
  if (query.after === undefined) return topologyOf(await transport.call(read(topologyPath(query)), query));
  const { waitMs = WAIT_MS, timeoutMs = transport.timeoutMs } = query;
  const request: Request = { ...read(topologyPath({ ...query, waitMs })), statuses: [304], waitMs };
  const answer = await transport.call(request, { ...query, timeoutMs: timeoutMs + waitMs });
  return answer.status === 304 ? undefined : topologyOf(answer);
}

export async function* watchTopology(
  transport: Transport,
  query: Pick<TopologyQuery, 'consistency' | 'after'> & CallOptions,
): AsyncGenerator<Topology, never, undefined> {
  const consistency = query.consistency ?? 'local';
  let { after } = query;
  for (;;) {
    const next = await readTopology(transport, {
      ...query,
      consistency,
      ...(after !== undefined && { after }),
    });
    if (next === undefined) continue;
    after = next.epoch;
    yield next;
  }
}

export async function bootstrap(
  transport: Transport,
  options: BootstrapOptions & CallOptions = {},
): Promise<{ clusterId: string; created: boolean }> {
  const { clusterId, replicationFactor, partitions } = options;
  const body = { clusterId, replicationFactor, partitions };
  const answer = await transport.call(change('POST', '/v1/cluster:bootstrap', body), options);
  return { clusterId: stringIn(jsonOf(answer), 'clusterId'), created: answer.status === 201 };
}

export async function removeMember(
  transport: Transport,
  name: string,
  options?: CallOptions,
): Promise<MemberChange> {
  return changeOf(jsonOf(await transport.call(change('POST', `${memberPath(name)}:remove`), options)));
}

export async function updateMember(
  transport: Transport,
  name: string,
  update: MemberUpdate,
  options?: CallOptions,
): Promise<MemberChange> {
  return changeOf(jsonOf(await transport.call(change('PATCH', memberPath(name), update), options)));
}

export async function transferLeadership(
  transport: Transport,
  { to, ...options }: { readonly to?: string } & CallOptions = {},
): Promise<{ leader: string }> {
  const request = change('POST', '/v1/cluster:transfer-leadership', { to });
  return { leader: stringIn(jsonOf(await transport.call(request, options)), 'leader') };
}

/** Changes are repeated by themselves only where it is known that they were not executed. */
export function change(method: Request['method'], path: string, body?: object): Request {
  const common = { method, path, isRead: false };
  if (body === undefined) return common;
  return { ...common, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

export function memberPath(name: string): string {
  if (name === '') throw new RangeError('a member has a name');
  return `/v1/members/${percentEncode(name)}`;
}

function topologyPath(query: TopologyQuery): string {
  return `/v1/topology${queryOf(query)}`;
}

export function consistencyQuery({ consistency }: { readonly consistency?: ReadConsistency }): string {
  return consistency === undefined ? '' : `?consistency=${consistency}`;
}

function queryOf(query: TopologyQuery): string {
  const parts = (['consistency', 'after', 'waitMs'] as const)
    .filter((name) => query[name] !== undefined)
    .map((name) => `${name}=${query[name]}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function topologyOf(answer: Parameters<typeof jsonOf>[0]): Topology {
  const json = jsonOf(answer);
  numberIn(json, 'epoch');
  stringIn(json, 'clusterId');
  for (const name of ['members', 'partitions', 'namespaces']) arrayIn(json, name);
  return json as Topology;
}

function changeOf(json: Json): MemberChange {
  return { epoch: numberIn(json, 'epoch'), member: numberIn(json, 'member') };
}
