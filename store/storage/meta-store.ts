import { asBuffer, ENVELOPE_BYTES, open, STORAGE_FORMAT, seal } from './checksum.ts';
import type { Engine, EngineOperation, PlainOperation } from './engine.ts';
import { KvError } from './errors.ts';
import { metaKey, metaRange } from './key-layout.ts';

/** Small facts about the node (format, identity, clock bound, namespaces) as checked JSON under meta keys. */
export type MetaStore = {
  read(name: string): Promise<unknown>;
  /** Names below `prefix` with their facts, in order. */
  list(prefix: string): Promise<{ readonly name: string; readonly fact: unknown }[]>;
  /** Durable when resolved. */
  write(name: string, fact: object): Promise<void>;
};

const PAGE = { entriesMax: 1000, bytesMax: 1 << 20 };

export function createMetaStore(engine: Engine): MetaStore {
  return {
    async read(name) {
      const key = metaKey(name);
      const value = await engine.get(key);
      return value === undefined ? undefined : decodeMeta(key, value);
    },
    async list(prefix) {
      await using view = engine.openView({ reverse: false });
      const facts: { name: string; fact: unknown }[] = [];
      let { start, end } = metaRange(prefix);
      for (;;) {
        const page = await view.page({ start, end }, PAGE);
        for (const { key, value } of page.entries)
          facts.push({ name: asBuffer(key).toString('utf8', 1), fact: decodeMeta(key, value) });
        if (page.done) return facts;
        start = Buffer.concat([(page.entries.at(-1) as { key: Uint8Array }).key, Buffer.of(0)]);
      }
    },
    write: (name, fact) => engine.write([putMeta(name, fact)], { sync: true }),
  };
}

/** The operation that stores `fact`, to be written together with others. */
export function putMeta(name: string, fact: object): PlainOperation {
  const key = metaKey(name);
  const payload = Buffer.from(JSON.stringify(fact));
  const value = Buffer.concat([Buffer.alloc(ENVELOPE_BYTES), payload]);
  seal(key, value);
  return { type: 'put', key, value };
}

export function deleteMeta(name: string): EngineOperation {
  return { type: 'delete', key: metaKey(name) };
}

function decodeMeta(key: Uint8Array, stored: Uint8Array): unknown {
  const value = asBuffer(stored);
  const opened = open(key, value);
  const name = asBuffer(key).toString('utf8', 1);
  if (opened.type === 'unknown-format')
    throw newerFormat(`the fact '${name}' has storage format ${opened.format}`);
  if (opened.type === 'damaged')
    throw new KvError('RECORD_CORRUPT', `the stored fact '${name}' fails its checksum`, { fact: name });
  return JSON.parse(value.toString('utf8', ENVELOPE_BYTES));
}

/** The refusal to open what a newer version of Kvorum wrote. */
export function newerFormat(found: string): Error {
  return new Error(
    `this data directory was written by a newer Kvorum: ${found}, and this version reads format ${STORAGE_FORMAT}; ` +
      'start it with the version that wrote it, or a later one',
  );
}
