import type { IncomingMessage } from 'node:http';
import type { Resource } from '../kube/resource.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'apply' | 'delete' | 'discover';

/** A request as the server understands it. */
export type FakeCall = {
  /** From 1, over all calls of the server. */
  readonly number: number;
  readonly verb: Verb;
  /** Undefined for paths that are of no declared kind. */
  readonly resource: FakeResource | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<IncomingMessage['headers']>;
  /** Undefined where there is none. */
  readonly body: unknown;
  /** The HTTP status of the answer; undefined until there is one. */
  status: number | undefined;
};

export const WRITES: readonly Verb[] = ['create', 'update', 'patch', 'apply', 'delete'];

/** A kind that the server knows, and how it differs from the plainest one. */
export type FakeResource = Resource & {
  /** /status is apart from the object: neither changes the other. Default true. */
  readonly hasStatus?: boolean;
  /** Dotted paths of the scale subresource; without them there is none. */
  readonly scale?: { readonly spec: string; readonly status: string; readonly selector: string };
  /** Sees what is about to be stored: returns it, perhaps with defaults, or the message of a refusal (422). */
  readonly admit?: (next: unknown, live: unknown) => unknown | { readonly refused: string };
};

type Target = Pick<FakeCall, 'resource' | 'namespace' | 'name' | 'subresource'>;

/** What a path names: /api/v1/... or /apis/GROUP/VERSION/..., with or without a namespace. */
export function targetOf(path: string, resources: readonly FakeResource[]): Target {
  const [root, ...rest] = path.slice(1).split('/').map(decodeURIComponent);
  const group = root === 'apis' ? (rest.shift() ?? '') : '';
  const version = rest.shift();
  const isOfNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const namespace = isOfNamespace ? rest[1] : undefined;
  const [plural, name, subresource] = isOfNamespace ? rest.slice(2) : rest;
  const resource = resources.find(
    (known) => known.group === group && known.version === version && known.plural === plural,
  );
  return { resource, namespace, name, subresource };
}

export function verbOf(
  method: string,
  target: Target,
  query: URLSearchParams,
  contentType: string | undefined,
): Verb {
  switch (method) {
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'DELETE':
      return 'delete';
    case 'PATCH':
      return contentType?.startsWith('application/apply-patch+yaml') ? 'apply' : 'patch';
    default:
      if (target.resource === undefined) return 'discover';
      if (target.name !== undefined) return 'get';
      return query.get('watch') === 'true' || query.get('watch') === '1' ? 'watch' : 'list';
  }
}
