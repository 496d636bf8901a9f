import type { ClusterErrorCode } from '../../cluster/cluster-admin.ts';
import type { KvErrorCode } from '../../storage/errors.ts';
import { clusterErrors } from './cluster-errors.ts';
import { dataErrors } from './data-errors.ts';
import { type ErrorEntry, entry, passing } from './error-entry.ts';

const RENAME = 'Use a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters.';

/** Every code that the HTTP interface answers. */
export const errorTable = {
  BAD_REQUEST: entry(400, 'The request is not valid HTTP', 'Send a well-formed HTTP/1.1 request.'),
  BAD_KEY_ENCODING: entry(
    400,
    'The key is not percent-encoded',
    'Encode each byte of the key outside A-Z a-z 0-9 - . _ ~ as % and two hexadecimal digits.',
  ),
  KEY_EMPTY: entry(400, 'The key is empty', 'Use a key of at least one byte.'),
  KEY_TOO_LONG: entry(400, 'The key is too long', 'Shorten the key, for example by hashing a part of it.'),
  BAD_NAMESPACE_NAME: entry(400, 'The namespace name is not valid', RENAME),
  BAD_TTL: entry(
    400,
    'The TTL is not valid',
    'Give whole seconds from 1 to the maximum, or no TTL to keep the key.',
  ),
  BAD_CURSOR: entry(
    400,
    'The cursor does not belong to this scan',
    'Repeat the parameters of the page before, or start again without a cursor.',
  ),
  BAD_CONTENT_TYPE: entry(
    400,
    'The content type cannot be kept',
    'Use a shorter content type of printable ASCII characters.',
  ),
  BAD_PARAMETER: entry(400, 'A query parameter is not valid', 'Correct the parameter that is named.'),
  UNKNOWN_PARAMETER: entry(
    400,
    'A query parameter is not known',
    'Remove the parameter, or use one of those that are allowed.',
  ),
  BAD_JSON: entry(400, 'The body is not JSON', 'Send a JSON document in valid UTF-8.'),
  BAD_FIELD: entry(400, 'A field of the body is not valid', 'Correct the field that is named.'),
  UNKNOWN_FIELD: entry(
    400,
    'A field of the body is not known',
    'Remove the field, or use one of those that are allowed.',
  ),
  TOO_MANY_OPERATIONS: entry(400, 'The batch has too many operations', 'Split the batch.'),
  CONDITION_NEEDS_LINEARIZABLE: entry(
    400,
    'A quorum namespace cannot compare and set',
    'Write without If-Match, If-None-Match and If-Unmodified-Since.',
  ),
  UNAUTHENTICATED: entry(
    401,
    'This node needs a token that it knows',
    'Send "Authorization: Bearer TOKEN" with a token of the file http.tokensFile; kvorum takes it from --token-file or KVORUM_TOKEN.',
  ),
  FORBIDDEN: entry(
    403,
    'The token does not allow this',
    'Use a token with the role that is named, or one above it: metrics, read, write, admin.',
  ),
  ROUTE_NOT_FOUND: entry(404, 'There is no such route', 'See /v1/openapi.json for the routes.'),
  NAMESPACE_NOT_FOUND: entry(
    404,
    'The namespace does not exist',
    'Create it with PUT /v1/namespaces/{name}, or correct its name.',
  ),
  KEY_NOT_FOUND: entry(
    404,
    'The key does not exist',
    'Nothing to do: it was never written, deleted, or expired.',
  ),
  METHOD_NOT_ALLOWED: entry(405, 'The route does not have this method', 'Use one of the methods in Allow.'),
  REQUEST_TIMEOUT: passing(
    408,
    'The request came too slowly',
    'Send the whole request within the time limit.',
  ),
  NAMESPACE_NOT_EMPTY: entry(
    409,
    'The namespace holds data',
    'Repeat the name in ?confirm= to delete it with its data.',
  ),
  NAMESPACE_PROTECTED: entry(409, 'The namespace cannot be deleted', 'Delete its keys instead.'),
  NAMESPACE_LIMIT: entry(409, 'There are too many namespaces', 'Delete namespaces, or use key prefixes.'),
  VALUE_TOO_LARGE: entry(413, 'The value is too large', 'Split the value, or raise the limit.'),
  BATCH_TOO_LARGE: entry(413, 'The batch is too large', 'Split the batch.'),
  BODY_TOO_LARGE: entry(413, 'The body is too large', 'Send a body within the limit.'),
  EXPECTATION_FAILED: entry(417, 'The expectation cannot be met', 'Expect nothing but 100-continue.'),
  HEADERS_TOO_LARGE: entry(
    431,
    'The headers are too large',
    'Send fewer or shorter headers, or a shorter path.',
  ),
  RECORD_CORRUPT: entry(
    500,
    'The stored record fails its checksum',
    'Write or delete the key to replace the record; check the disk.',
  ),
  INTERNAL: entry(
    500,
    'The node failed to answer',
    'Look for the request in the log of the node, and report it.',
  ),
  OVERLOADED: passing(503, 'The node is busy', 'Try again after Retry-After, with fewer requests at once.'),
  SHUTTING_DOWN: passing(
    503,
    'The node is stopping',
    'Try again after Retry-After, on another node if there is one.',
  ),
  STORAGE_FAILED: passing(
    503,
    'The storage failed',
    'The outcome of a write is unknown. The node stops by itself; check its log and its disk, then try again.',
  ),
  STORAGE_FULL: passing(
    507,
    'The disk is full',
    'Free disk space; reads go on, and writes do by themselves when there is room.',
  ),
  ...clusterErrors,
  ...dataErrors,
} as const satisfies Readonly<Record<string, ErrorEntry>> &
  Readonly<Record<KvErrorCode | ClusterErrorCode, ErrorEntry>>;

export type ErrorCode = keyof typeof errorTable;

export function errorEntry(code: ErrorCode): ErrorEntry {
  return errorTable[code];
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}
