import { percentEncode } from './bytes.ts';
import { change, consistencyQuery, memberPath } from './cluster.ts';
import type { ReadConsistency } from './cluster-types.ts';
import { KvorumProtocolError, KvorumResponseError, type Problem } from './errors.ts';
import { lines } from './ndjson.ts';
import type {
  NewOperation,
  Operation,
  OperationChange,
  OperationList,
  OperationState,
  StopVerdict,
} from './operation-types.ts';
import { read } from './requests.ts';
import type { CallOptions, Transport } from './transport.ts';
import {
  arrayIn,
  asObject,
  type Json,
  jsonOf,
  numberIn,
  optionalString,
  parseJson,
  stringIn,
} from './wire.ts';

type ConsistencyOptions = { readonly consistency?: ReadConsistency } & CallOptions;

export async function startOperation(
  transport: Transport,
  operation: NewOperation,
  options?: CallOptions,
): Promise<OperationChange> {
  return changeOf(jsonOf(await transport.call(change('POST', '/v1/operations', operation), options)));
}

export async function cancelOperation(
  transport: Transport,
  id: string,
  options?: CallOptions,
): Promise<OperationChange> {
  return changeOf(jsonOf(await transport.call(change('POST', `${operationPath(id)}:cancel`), options)));
}

/** Of a member that does not drain there is nothing to cancel. */
export async function cancelDrain(
  transport: Transport,
  member: string,
  options: CallOptions = {},
): Promise<OperationChange> {
  memberPath(member);
  const { epoch, operations } = await listOperations(transport, { ...options, state: 'running' });
  const drain = operations.find((operation) => operation.type === 'drain' && operation.member === member);
  return drain === undefined
    ? { epoch, operation: undefined }
    : await cancelOperation(transport, drain.id, options);
}

export async function listOperations(
  transport: Transport,
  options: { readonly state?: OperationState } & ConsistencyOptions = {},
): Promise<OperationList> {
  const consistency = consistencyQuery(options);
  const { state } = options;
  const query =
    state === undefined ? consistency : `${consistency === '' ? '?' : `${consistency}&`}state=${state}`;
  const json = jsonOf(await transport.call(read(`/v1/operations${query}`), options));
  numberIn(json, 'epoch');
  arrayIn(json, 'operations').map(operationOf);
  return json as OperationList;
}

export async function readOperation(
  transport: Transport,
  id: string,
  options: ConsistencyOptions = {},
): Promise<Operation> {
  const path = `${operationPath(id)}${consistencyQuery(options)}`;
  return operationOf(jsonOf(await transport.call(read(path), options)));
}

export async function* watchOperation(
  transport: Transport,
  id: string,
  options: ConsistencyOptions = {},
): AsyncGenerator<Operation, void, undefined> {
  const path = `${operationPath(id)}:watch${consistencyQuery(options)}`;
  for await (const line of lines(transport.stream(read(path), options))) {
    const { type, operation, problem } = parseJson(line);
    if (type === 'problem') throw new KvorumResponseError(asObject(problem) as Problem, undefined);
    yield operationOf(asObject(operation));
    if (type === 'end') return;
  }
  throw new KvorumProtocolError('the stream ended before the operation had');
}

export async function canStop(
  transport: Transport,
  name: string,
  { look, ...options }: { readonly look?: boolean } & CallOptions = {},
): Promise<StopVerdict> {
  const path = `${nodePath(name)}/can-stop${look === true ? '?look=true' : ''}`;
  const json = jsonOf(await transport.call(read(path), options));
  if (typeof json.canStop !== 'boolean' || !Array.isArray(json.reasons))
    throw new KvorumProtocolError('the answer does not say whether the node can be stopped');
  return json as StopVerdict;
}

export async function stopNode(
  transport: Transport,
  name: string,
  options?: CallOptions,
): Promise<{ node: string }> {
  return {
    node: stringIn(jsonOf(await transport.call(change('POST', `${nodePath(name)}:stop`), options)), 'node'),
  };
}

function operationPath(id: string): string {
  if (id === '') throw new RangeError('an operation has an id');
  return `/v1/operations/${percentEncode(id)}`;
}

function nodePath(name: string): string {
  if (name === '') throw new RangeError('a node has a name');
  return `/v1/nodes/${percentEncode(name)}`;
}

function changeOf(json: Json): OperationChange {
  return { epoch: numberIn(json, 'epoch'), operation: optionalString(json, 'operation') };
}

function operationOf(json: Json): Operation {
  for (const name of ['id', 'type', 'state']) stringIn(json, name);
  numberIn(json, 'partitionsLeft');
  return json as Operation;
}
