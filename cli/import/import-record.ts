import { usageError } from '../lib/cli-error.ts';
import type { LineFrame } from './frame.ts';
import type { InputFormat } from './input-format.ts';
import { fieldText, type KeyTemplate, parseKeyTemplate } from './key-template.ts';
import { decodeUtf8 } from './utf8.ts';

/** One record of the input: what to write, or why not. */
export type ImportRecord = { readonly line: number } & (
  | {
      readonly type: 'put';
      readonly key: Uint8Array;
      readonly value: Uint8Array;
      readonly contentType?: string;
      readonly ttlSeconds?: number;
    }
  | { readonly type: 'bad'; readonly reason: string }
  /** A header, or a record that has expired since it was exported: nothing to do. */
  | { readonly type: 'skip' }
);

export type RecordOptions = {
  readonly format: InputFormat;
  /** Template of the key; undefined takes the format's own way. */
  readonly key: string | undefined;
  /** Field of the value; undefined takes the whole record. */
  readonly value: string | undefined;
  readonly nowMs: number;
};

type Fields = Readonly<Record<string, unknown>>;
type Put = Omit<Extract<ImportRecord, { type: 'put' }>, 'line' | 'type'>;

/** Digits of a line number as a key: the order of the keys is the order of the lines. */
const LINE_DIGITS = 12;

/** Makes records of frames, one input after the other: of a table, the first frame is the header. */
export function createRecordReader(options: RecordOptions): (frame: LineFrame) => ImportRecord {
  const template = options.key === undefined ? undefined : parseKeyTemplate(options.key);
  let header: readonly string[] | undefined;
  return ({ line, frame }) => {
    if (frame.type === 'bad') return { type: 'bad', line, reason: frame.reason };
    if (frame.type === 'blank') return { type: 'skip', line };
    try {
      if (frame.type === 'text')
        return { line, type: 'put', ...putOfText(decoded(frame.text), line, options, template) };
      const cells = frame.cells.map(decoded);
      if (header !== undefined)
        return {
          line,
          type: 'put',
          ...putOfFields(fieldsOf(header, cells), options, template ?? parseKeyTemplate('key')),
        };
      header = checkedHeader(cells, options);
      return { type: 'skip', line };
    } catch (error) {
      if (error instanceof BadRecord)
        return error.reason === EXPIRED
          ? { type: 'skip', line }
          : { type: 'bad', line, reason: error.reason };
      throw error;
    }
  };
}

class BadRecord extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

const EXPIRED = 'expired';

function decoded(latin1: string): string {
  const text = decodeUtf8(latin1);
  if (text === undefined) throw new BadRecord('not UTF-8');
  return text;
}

function checkedHeader(cells: readonly string[], options: RecordOptions): readonly string[] {
  const needed = [options.key === undefined ? 'key' : undefined, options.value].filter(
    (name) => name !== undefined,
  );
  const missing = needed.find((name) => !cells.includes(name));
  if (missing === undefined) return cells;
  throw usageError(
    `the header has no column '${missing}'; it has ${cells.join(', ')}; choose with --key and --value`,
  );
}

function fieldsOf(header: readonly string[], cells: readonly string[]): Fields {
  if (cells.length !== header.length)
    throw new BadRecord(`${cells.length} cells, and the header has ${header.length}`);
  return Object.fromEntries(header.map((name, i) => [name, cells[i]]));
}

function putOfText(
  text: string,
  line: number,
  options: RecordOptions,
  template: KeyTemplate | undefined,
): Put {
  if (options.format === 'lines') {
    const key = String(line).padStart(LINE_DIGITS, '0');
    if (template === undefined) return { key: Buffer.from(key), value: Buffer.from(text) };
    return putOfFields({ line: key, text }, { ...options, value: options.value ?? 'text' }, template);
  }
  const fields = parseObject(text);
  return template === undefined ? putOfExport(fields, options) : putOfFields(fields, options, template);
}

function parseObject(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadRecord(`not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadRecord('not a JSON object');
  return value as Fields;
}

function putOfFields(fields: Fields, options: RecordOptions, template: KeyTemplate): Put {
  const made = template(fields);
  if ('missing' in made) throw new BadRecord(`the record has no '${made.missing}', which the key needs`);
  return { key: Buffer.from(made.key), ...valueOfFields(fields, options) };
}

function valueOfFields(
  fields: Fields,
  options: RecordOptions,
): { readonly value: Uint8Array; readonly contentType?: string } {
  const isPair =
    options.value === undefined && Object.keys(fields).length === 2 && 'key' in fields && 'value' in fields;
  const name = isPair ? 'value' : options.value;
  if (name === undefined)
    return { value: Buffer.from(JSON.stringify(fields)), contentType: 'application/json' };
  const text = fieldText(fields, name);
  if (text === undefined) throw new BadRecord(`the record has no '${name}', which is to be the value`);
  return { value: Buffer.from(text) };
}

/** A line of an export: `key` or `keyBase64`, `value` or `valueBase64`, `contentType`, `expiresAt`. */
function putOfExport(fields: Fields, options: RecordOptions): Put {
  const key = bytesOf(fields, 'key');
  if (key === undefined)
    throw new BadRecord("the record has no 'key' or 'keyBase64'; --key makes one of other fields");
  const value = bytesOf(fields, 'value') ?? new Uint8Array();
  const contentType = fieldText(fields, 'contentType');
  const expiresAt = fieldText(fields, 'expiresAt');
  return {
    key,
    value,
    ...(contentType !== undefined && { contentType }),
    ...(expiresAt !== undefined && { ttlSeconds: secondsUntil(expiresAt, options.nowMs) }),
  };
}

function bytesOf(fields: Fields, name: 'key' | 'value'): Uint8Array | undefined {
  const base64 = fields[`${name}Base64`];
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  const text = fieldText(fields, name);
  return text === undefined ? undefined : Buffer.from(text);
}

function secondsUntil(expiresAt: string, nowMs: number): number {
  const atMs = Date.parse(expiresAt);
  if (Number.isNaN(atMs)) throw new BadRecord(`'expiresAt' is no time: ${expiresAt}`);
  if (atMs <= nowMs) throw new BadRecord(EXPIRED);
  return Math.ceil((atMs - nowMs) / 1000);
}
