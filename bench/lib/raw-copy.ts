import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ENGINE_DEFAULTS } from '../../store/io/open-engine.ts';
import { loadRocksBinding, type RocksDatabase } from '../../store/io/rocksdb/binding.ts';
import { openDatabase } from '../../store/io/rocksdb/rocksdb-engine.ts';

/**
 * How fast the engine's package alone takes records from one store, sends them over a socket and writes them, synced, into
 * another: two processes, pages as large as those of a move, and nothing of what a move does beside.
 */
export type RawCopyOptions = {
  readonly directory: string;
  readonly records: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
};

export type RawCopied = { readonly bytes: number; readonly seconds: number };

const PAGE_BYTES = 1 << 20;
const STEP_ENTRIES = 1000;
const HEADER_BYTES = 6;
const END = 0;

type Told = { readonly port: number } | { readonly isFilled: true } | RawCopied;

export async function measureRawCopy(options: RawCopyOptions): Promise<RawCopied> {
  const target = role('target', options);
  const { port } = await told<{ readonly port: number }>(target);
  const source = role('source', options, port);
  await told<{ readonly isFilled: true }>(source);
  source.send('go');
  const copied = await told<RawCopied>(target);
  await Promise.all([once(source, 'exit'), once(target, 'exit')]);
  return copied;
}

function role(name: 'source' | 'target', options: RawCopyOptions, port = 0) {
  return fork(new URL(import.meta.url), [name, JSON.stringify(options), String(port)]);
}

async function told<T extends Told>(child: ReturnType<typeof fork>): Promise<T> {
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)]);
  return message as T;
}

function failed([code]: readonly unknown[]): never {
  throw new Error(`a process of the raw copy ended with ${code}`);
}

const binding = loadRocksBinding();

function open(directory: string): Promise<RocksDatabase> {
  return openDatabase(binding, { ...ENGINE_DEFAULTS, location: directory });
}

async function runTarget({ directory }: RawCopyOptions): Promise<void> {
  const database = await open(`${directory}/raw-target`);
  const server = createServer((socket) => {
    server.close();
    receive(socket, database).then((copied) => tell(copied), fail);
  });
  server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as { port: number }).port }));
}

async function receive(socket: Socket, database: RocksDatabase): Promise<RawCopied> {
  let startMs = 0;
  let bytes = 0;
  let pending = Buffer.alloc(0);
  for await (const chunk of socket) {
    if (startMs === 0) startMs = performance.now();
    pending = Buffer.concat([pending, chunk as Buffer]);
    while (pending.length >= 4) {
      const length = pending.readUInt32LE(0);
      if (length === END) return { bytes, seconds: (performance.now() - startMs) / 1000 };
      if (pending.length < 4 + length) break;
      bytes += writePage(database, pending.subarray(4, 4 + length));
      pending = pending.subarray(4 + length);
    }
  }
  throw new Error('the source ended before its end');
}

/** One synced batch; returns the bytes of the records. */
function writePage(database: RocksDatabase, page: Buffer): number {
  const batch = binding.batch_init();
  let bytes = 0;
  for (let at = 0; at < page.length; ) {
    const keyEnd = at + HEADER_BYTES + page.readUInt16LE(at);
    const valueEnd = keyEnd + page.readUInt32LE(at + 2);
    binding.batch_put(batch, page.subarray(at + HEADER_BYTES, keyEnd), page.subarray(keyEnd, valueEnd), {});
    bytes += valueEnd - keyEnd;
    at = valueEnd;
  }
  binding.batch_write(database, batch, { sync: true });
  return bytes;
}

async function runSource(options: RawCopyOptions, port: number): Promise<void> {
  const database = await open(`${options.directory}/raw-source`);
  fill(database, options);
  tell({ isFilled: true });
  await once(process, 'message');
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  await sendAll(database, socket);
  socket.end();
  await once(socket, 'close');
  process.disconnect?.();
}

function fill(database: RocksDatabase, { records, keyBytes, valueBytes }: RawCopyOptions): void {
  const value = Buffer.alloc(valueBytes, 'v');
  for (let from = 0; from < records; from += STEP_ENTRIES) {
    const batch = binding.batch_init();
    for (let i = from; i < Math.min(records, from + STEP_ENTRIES); i++)
      binding.batch_put(batch, Buffer.from(String(i).padStart(keyBytes, '0')), value, {});
    binding.batch_write(database, batch, { sync: true });
  }
}

async function sendAll(database: RocksDatabase, socket: Socket): Promise<void> {
  const iterator = binding.iterator_init(database, {
    ...{ reverse: false, keyEncoding: 'buffer', valueEncoding: 'buffer' },
    ...{ fillCache: false, highWaterMarkBytes: PAGE_BYTES / 4 },
  });
  binding.iterator_seek(iterator, Buffer.alloc(0));
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes);
    const page = Buffer.concat([length, ...parts]);
    parts = [];
    bytes = 0;
    if (!socket.write(page)) await once(socket, 'drain');
  };
  for (let isFinished = false; !isFinished; ) {
    const { rows, finished } = await nextRows(iterator);
    isFinished = finished;
    for (let i = 0; i < rows.length; i += 2) {
      const [key, value] = [rows[i] as Uint8Array, rows[i + 1] as Uint8Array];
      const header = Buffer.alloc(HEADER_BYTES);
      header.writeUInt16LE(key.length, 0);
      header.writeUInt32LE(value.length, 2);
      parts.push(header, key, value);
      bytes += HEADER_BYTES + key.length + value.length;
      if (bytes >= PAGE_BYTES) await flush();
    }
  }
  if (bytes > 0) await flush();
  binding.iterator_close(iterator);
  socket.write(Buffer.alloc(4));
}

function nextRows(iterator: ReturnType<typeof binding.iterator_init>) {
  return new Promise<{ readonly rows: readonly Uint8Array[]; readonly finished: boolean }>(
    (resolve, reject) => {
      binding.iterator_nextv(iterator, STEP_ENTRIES, (error, rows) =>
        error === null ? resolve(rows) : reject(error),
      );
    },
  );
}

function tell(message: Told): void {
  process.send?.(message, () => {
    if ('seconds' in message) process.disconnect?.();
  });
}

function fail(error: unknown): never {
  process.stderr.write(`${error}\n`);
  process.exit(1);
}

if (process.argv[1] === import.meta.filename) {
  const [name, options, port] = process.argv.slice(2);
  const parsed = JSON.parse(options as string) as RawCopyOptions;
  (name === 'source' ? runSource(parsed, Number(port)) : runTarget(parsed)).catch(fail);
}
