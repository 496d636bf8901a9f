import { percentEncode } from './bytes.ts';
import { isMissing, read } from './requests.ts';
import type { CallOptions, Transport } from './transport.ts';
import type { NamespaceInfo } from './types.ts';
import { arrayIn, dateOf, type Json, jsonOf, stringIn } from './wire.ts';

const ROOT = '/v1/namespaces';

export async function listNamespaces(transport: Transport, options?: CallOptions): Promise<NamespaceInfo[]> {
  return arrayIn(jsonOf(await transport.call(read(ROOT), options)), 'namespaces').map(namespaceOf);
}

export async function getNamespace(
  transport: Transport,
  name: string,
  options?: CallOptions,
): Promise<NamespaceInfo | undefined> {
  const answer = await transport.call({ ...read(pathOf(name)), statuses: [404] }, options);
  return isMissing(answer, 'NAMESPACE_NOT_FOUND') ? undefined : namespaceOf(jsonOf(answer));
}

export async function createNamespace(
  transport: Transport,
  name: string,
  options?: CallOptions,
): Promise<{ created: boolean }> {
  const answer = await transport.call({ method: 'PUT', path: pathOf(name), isRead: false }, options);
  return { created: answer.status === 201 };
}

export async function deleteNamespace(
  transport: Transport,
  name: string,
  options: { confirm?: string } & CallOptions = {},
): Promise<void> {
  const query = options.confirm === undefined ? '' : `?confirm=${percentEncode(options.confirm)}`;
  await transport.call({ method: 'DELETE', path: pathOf(name) + query, isRead: false }, options);
}

function pathOf(name: string): string {
  if (name === '') throw new RangeError('a namespace has a name');
  return `${ROOT}/${percentEncode(name)}`;
}

function namespaceOf(json: Json): NamespaceInfo {
  return {
    name: stringIn(json, 'name'),
    consistency: stringIn(json, 'consistency'),
    createdAt: dateOf(stringIn(json, 'createdAt')),
  };
}
