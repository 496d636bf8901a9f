import { bytesFromJson } from './bytes.ts';
import { KvorumProtocolError } from './errors.ts';
import type { Answer } from './failure.ts';
import type { Entry, ValueInfo } from './types.ts';

// What answers mean. Every function throws KvorumProtocolError for an answer the interface does not promise.

export type Json = Record<string, unknown>;

export function jsonOf(answer: Answer): Json {
  return parseJson(Buffer.from(answer.body).toString());
}

export function parseJson(text: string): Json {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new KvorumProtocolError('the answer is not JSON', { cause });
  }
  return asObject(json);
}

export function asObject(json: unknown): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new KvorumProtocolError('the answer is not a JSON object where one was expected');
  }
  return json as Json;
}

export function arrayIn(json: Json, name: string): Json[] {
  const array = json[name];
  if (!Array.isArray(array)) throw new KvorumProtocolError(`"${name}" of the answer is not an array`);
  return array.map(asObject);
}

export function optionalString(json: Json, name: string): string | undefined {
  const text = json[name] ?? undefined;
  if (text === undefined || typeof text === 'string') return text;
  throw new KvorumProtocolError(`"${name}" of the answer is not a string`);
}

export function stringIn(json: Json, name: string): string {
  const text = optionalString(json, name);
  if (text === undefined) throw new KvorumProtocolError(`the answer has no "${name}"`);
  return text;
}

export function numberIn(json: Json, name: string): number {
  const value = json[name];
  if (typeof value === 'number') return value;
  throw new KvorumProtocolError(`the answer has no number "${name}"`);
}

export function dateOf(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new KvorumProtocolError(`the answer has a date that is none: ${text}`);
  return date;
}

export function expiresAtIn(json: Json): Date | undefined {
  const text = optionalString(json, 'expiresAt');
  return text === undefined ? undefined : dateOf(text);
}

export function entryOf(json: Json): Entry {
  const key = bytesFromJson('key', json);
  if (key === undefined) throw new KvorumProtocolError('an entry of the answer has no key');
  return {
    key,
    value: bytesFromJson('value', json),
    version: stringIn(json, 'version'),
    contentType: optionalString(json, 'contentType'),
    expiresAt: expiresAtIn(json),
  };
}

export function headerOf(answer: Answer, name: string): string | undefined {
  const header = answer.headers[name];
  return typeof header === 'string' ? header : undefined;
}

/** The version in the ETag, without its quotes. A proxy that compresses makes it weak. */
export function versionOf(answer: Answer): string {
  const version = /^(?:W\/)?"([^"]+)"$/.exec(headerOf(answer, 'etag') ?? '')?.[1];
  if (version === undefined)
    throw new KvorumProtocolError('the answer has no ETag: this is not a Kvorum node');
  return version;
}

export function expiryOf(answer: Answer): Date | undefined {
  const text = headerOf(answer, 'kvorum-expires-at');
  return text === undefined ? undefined : dateOf(text);
}

export function infoOf(answer: Answer): ValueInfo {
  return {
    version: versionOf(answer),
    contentType: headerOf(answer, 'content-type'),
    expiresAt: expiryOf(answer),
  };
}
