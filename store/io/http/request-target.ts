import type { HttpOptions } from './http-options.ts';
import { percentDecode } from './percent.ts';
import { HttpProblem } from './problem.ts';

const KV_ROOT = '/v1/kv/';
const EXPLAIN_ROOT = '/v1/explain/';
const LOCATE_ROOT = '/v1/locate/';
const LOCAL_ROOT = '/v1/local/';
const NAMESPACE_ROOT = '/v1/namespaces/';
const MEMBER_ROOT = '/v1/members/';
const BATCH_SUFFIX = ':batch';
const OPERATION_ROOT = '/v1/operations/';
const NODE_ROOT = '/v1/nodes/';
/** What can be asked of a member, a node or an operation, behind its name. */
const VERB_SUFFIX = /:(?:remove|drain|cancel|watch|stop)$/;
/** Longer than any id, which is a type and the name of a member. */
const OPERATION_ID_MAX = 80;
/** A DNS label: the name of a namespace or of a member. */
export const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export type KeyTarget = { readonly namespace: string; readonly key: Buffer };

/** `/v1/kv/{namespace}/{key}`: everything behind the namespace's slash, up to a `?`, is the key. */
export function parseKeyTarget(url: string, options: HttpOptions): KeyTarget {
  return parseKeyBelow(KV_ROOT, url, options);
}

/** `/v1/explain/{namespace}/{key}`. */
export function parseExplainTarget(url: string, options: HttpOptions): KeyTarget {
  return parseKeyBelow(EXPLAIN_ROOT, url, options);
}

/** `/v1/locate/{key}`. */
export function parseLocateTarget(url: string, options: HttpOptions): Buffer {
  const key = percentDecode(url.slice(LOCATE_ROOT.length, pathEnd(url)), 'key');
  checkKey(key, options);
  return key;
}

/** `/v1/local/{namespace}`. */
export function parseLocalTarget(url: string): string {
  return checkNamespaceName(url.slice(LOCAL_ROOT.length, pathEnd(url)));
}

function parseKeyBelow(root: string, url: string, options: HttpOptions): KeyTarget {
  const slash = url.indexOf('/', root.length);
  const namespace = checkNamespaceName(url.slice(root.length, slash));
  const key = percentDecode(url.slice(slash + 1, pathEnd(url)), 'key');
  checkKey(key, options);
  return { namespace, key };
}

/** `/v1/kv/{namespace}` and `/v1/kv/{namespace}:batch`. */
export function parseNamespaceTarget(url: string): string {
  const path = url.slice(0, pathEnd(url));
  const name = path.endsWith(BATCH_SUFFIX) ? path.slice(0, -BATCH_SUFFIX.length) : path;
  return checkNamespaceName(name.slice(KV_ROOT.length));
}

/** `/v1/namespaces/{name}`. */
export function parseNameTarget(url: string): string {
  return checkNamespaceName(url.slice(NAMESPACE_ROOT.length, pathEnd(url)));
}

/** `/v1/members/{name}`, also with a verb behind it: `/v1/members/{name}:remove`. */
export function parseMemberTarget(url: string): string {
  return checkMemberName(url.slice(MEMBER_ROOT.length, pathEnd(url)).replace(VERB_SUFFIX, ''));
}

/** `/v1/nodes/{name}/can-stop` and `/v1/nodes/{name}:stop`. */
export function parseNodeTarget(url: string): string {
  const name = url.slice(NODE_ROOT.length, pathEnd(url)).replace(/\/can-stop$/, '');
  return checkMemberName(name.replace(VERB_SUFFIX, ''));
}

/** `/v1/operations/{id}`, also with a verb behind it: `/v1/operations/{id}:cancel`. What is no id names no operation. */
export function parseOperationTarget(url: string): string {
  const id = url.slice(OPERATION_ROOT.length, pathEnd(url)).replace(VERB_SUFFIX, '');
  return decodeOrKeep(id).slice(0, OPERATION_ID_MAX);
}

function checkMemberName(text: string): string {
  const name = decodeOrKeep(text);
  if (DNS_LABEL.test(name)) return name;
  throw new HttpProblem('BAD_MEMBER_NAME', `${JSON.stringify(name.slice(0, 80))} is not a member name.`);
}

export function checkKey(key: Uint8Array, options: HttpOptions, where = 'The key'): void {
  if (key.length === 0) throw new HttpProblem('KEY_EMPTY', `${where} has no bytes.`);
  const { keyBytesMax } = options;
  if (key.length <= keyBytesMax) return;
  const detail = `${where} has ${key.length} bytes; at most ${keyBytesMax} are allowed.`;
  throw new HttpProblem('KEY_TOO_LONG', detail, { keyBytes: key.length, maxBytes: keyBytesMax });
}

/** The query's text behind the `?`, or undefined. */
export function rawQuery(url: string): string | undefined {
  const question = url.indexOf('?');
  return question === -1 ? undefined : url.slice(question + 1);
}

function pathEnd(url: string): number {
  const question = url.indexOf('?');
  return question === -1 ? url.length : question;
}

function checkNamespaceName(text: string): string {
  if (DNS_LABEL.test(text)) return text;
  const name = text.includes('%') ? decodeOrKeep(text) : text;
  if (DNS_LABEL.test(name)) return name;
  const shown = JSON.stringify(name.slice(0, 80));
  throw new HttpProblem('BAD_NAMESPACE_NAME', `${shown} is not a namespace name.`);
}

function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
