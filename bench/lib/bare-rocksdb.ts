import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadRocksBinding, type RocksBinding } from '../../store/io/rocksdb/binding.ts';

/**
 * The bare package with the same group commit and nothing else: no queue limits, no contract, no error handling, no
 * record. One worker writes synced batches; what is put while one is under way becomes the next.
 */
export class BareRocksdb {
  readonly #worker: Worker;
  #waiting: { readonly key: Buffer; readonly value: Buffer; readonly done: () => void }[] = [];
  #underWay: (() => void)[] = [];
  #isScheduled = false;
  #buffer = new ArrayBuffer(1 << 20);

  constructor(handle: bigint) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { handle } });
    this.#worker.on('message', (buffer: ArrayBuffer) => this.#settle(buffer));
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push({ key, value, done });
      this.#schedule();
    });
  }

  async close(): Promise<void> {
    this.#worker.postMessage(undefined);
    await once(this.#worker, 'exit');
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay.length > 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const bytes = Buffer.from(this.#buffer);
    let at = 0;
    for (const { key, value, done } of this.#waiting) {
      bytes.writeUInt32LE(key.length, at);
      bytes.writeUInt32LE(value.length, at + 4);
      bytes.set(key, at + 8);
      bytes.set(value, at + 8 + key.length);
      at += 8 + key.length + value.length;
      this.#underWay.push(done);
    }
    const count = this.#waiting.length;
    this.#waiting = [];
    this.#worker.postMessage({ buffer: this.#buffer, count }, [this.#buffer]);
  }

  #settle(buffer: ArrayBuffer): void {
    this.#buffer = buffer;
    const settled = this.#underWay;
    this.#underWay = [];
    for (const done of settled) done();
    if (this.#waiting.length > 0) this.#schedule();
  }
}

function work(binding: RocksBinding, handle: bigint): void {
  const database = binding.db_init(handle);
  const batch = binding.batch_init();
  parentPort?.on('message', (message: { buffer: ArrayBuffer; count: number } | undefined) => {
    if (message === undefined) return void parentPort?.close();
    const bytes = Buffer.from(message.buffer);
    binding.batch_clear(batch);
    let at = 0;
    for (let i = 0; i < message.count; i++) {
      const keyEnd = at + 8 + bytes.readUInt32LE(at);
      const valueEnd = keyEnd + bytes.readUInt32LE(at + 4);
      binding.batch_put(batch, bytes.subarray(at + 8, keyEnd), bytes.subarray(keyEnd, valueEnd), {});
      at = valueEnd;
    }
    binding.batch_write(database, batch, { sync: true });
    parentPort?.postMessage(message.buffer, [message.buffer]);
  });
}

if (!isMainThread) work(loadRocksBinding(), (workerData as { handle: bigint }).handle);
