import type { BatchOperation, BatchResult } from '@kvorum/client';
import { usageError } from '../lib/cli-error.ts';
import { bytesMember } from '../lib/entry-json.ts';
import { formatKey, type KeyFormat, previewValue } from '../lib/key-format.ts';

const PREVIEW_CHARS_MAX = 100;
type Fields = Readonly<Record<string, unknown>>;

/** Operations as docs/http-api.md writes them, one a line; empty lines are left out. */
export function parseOperations(text: string): BatchOperation[] {
  return text
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parseOperation(line, index + 1)]));
}

function parseOperation(line: string, number: number): BatchOperation {
  const where = `line ${number}`;
  const fields = parseLine(line, where);
  const key = bytesOf(fields, 'key', where);
  const { op, ttlSeconds, contentType } = fields;
  if (op === 'get' || op === 'delete') return { op, key };
  if (op !== 'put') throw usageError(`${where}: op is put, get or delete, not ${JSON.stringify(op)}`);
  if (ttlSeconds !== undefined && !(Number.isSafeInteger(ttlSeconds) && Number(ttlSeconds) >= 1))
    throw usageError(`${where}: ttlSeconds is a whole number from 1 up`);
  if (contentType !== undefined && typeof contentType !== 'string')
    throw usageError(`${where}: contentType is a text`);
  return {
    ...{ op, key, value: bytesOf(fields, 'value', where) },
    ...(ttlSeconds !== undefined && { ttlSeconds: Number(ttlSeconds) }),
    ...(contentType !== undefined && { contentType }),
  };
}

function parseLine(line: string, where: string): Fields {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw usageError(`${where} is not JSON: ${(error as Error).message}`);
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Fields;
  throw usageError(`${where} is not an object such as {"op": "get", "key": "a"}`);
}

function bytesOf(fields: Fields, name: 'key' | 'value', where: string): Uint8Array {
  const [text, base64] = [fields[name], fields[`${name}Base64`]];
  if (typeof text === 'string' && base64 === undefined) return Buffer.from(text);
  if (typeof base64 === 'string' && text === undefined) return Buffer.from(base64, 'base64');
  throw usageError(`${where}: exactly one of ${name} and ${name}Base64 is needed, as a text`);
}

export function batchLine({ op, key }: BatchOperation, result: BatchResult, format: KeyFormat): string {
  const head = `${result.ok ? 'ok' : 'failed'}\t${op}\t${formatKey(Buffer.from(key), format)}`;
  if (!result.ok) return `${head}\t${result.code}: ${result.detail}`;
  if (op !== 'get') return `${head}\t${result.version}`;
  return `${head}\t${result.value === undefined ? '<missing>' : previewValue(result.value, PREVIEW_CHARS_MAX)}`;
}

export function batchJson(
  { key }: BatchOperation,
  { value, ...result }: BatchResult & { value?: unknown },
): string {
  const bytes = value instanceof Uint8Array ? bytesMember('value', value) : {};
  return JSON.stringify({ ...bytesMember('key', Buffer.from(key)), ...result, ...bytes });
}
