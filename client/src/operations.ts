import { percentEncode } from './bytes.ts';
import { change, changeOf, consistencyQuery, memberPath } from './cluster.ts';
import type { MemberChange, OperationList, ReadConsistency, StopVerdict } from './cluster-types.ts';
import { KvorumProtocolError } from './errors.ts';
import { read } from './requests.ts';
import type { CallOptions, Transport } from './transport.ts';
import { arrayIn, jsonOf, numberIn } from './wire.ts';

type ConsistencyOptions = { readonly consistency?: ReadConsistency } & CallOptions;

export async function drainMember(
  transport: Transport,
  name: string,
  options?: CallOptions,
): Promise<MemberChange> {
  return changeOf(jsonOf(await transport.call(change('POST', `${memberPath(name)}:drain`), options)));
}

export async function cancelDrain(
  transport: Transport,
  name: string,
  options?: CallOptions,
): Promise<MemberChange> {
  return changeOf(jsonOf(await transport.call(change('POST', `${memberPath(name)}:cancel-drain`), options)));
}

export async function listOperations(
  transport: Transport,
  options: ConsistencyOptions = {},
): Promise<OperationList> {
  const path = `/v1/operations${consistencyQuery(options)}`;
  const json = jsonOf(await transport.call(read(path), options));
  numberIn(json, 'epoch');
  arrayIn(json, 'operations');
  return json as OperationList;
}

export async function canStop(
  transport: Transport,
  name: string,
  options: ConsistencyOptions = {},
): Promise<StopVerdict> {
  if (name === '') throw new RangeError('a node has a name');
  const path = `/v1/nodes/${percentEncode(name)}/can-stop${consistencyQuery(options)}`;
  const json = jsonOf(await transport.call(read(path), options));
  if (typeof json.canStop !== 'boolean' || !Array.isArray(json.reasons))
    throw new KvorumProtocolError('the answer does not say whether the node can be stopped');
  return json as StopVerdict;
}
