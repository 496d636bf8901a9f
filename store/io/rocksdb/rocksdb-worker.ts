import { parentPort, workerData } from 'node:worker_threads';
import { loadRocksBinding } from './binding.ts';
import { packValues, unpackGroup, unpackKeys } from './packing.ts';
import { readEntries } from './read-entries.ts';
import type {
  BufferRequest,
  WorkerAnswer,
  WorkerReply,
  WorkerRequest,
  WorkerSetup,
} from './worker-channel.ts';

/** A thread in which the engine waits for the disk: it writes groups, or reads groups of keys and runs of entries. */
const binding = loadRocksBinding();
const port = parentPort;
if (port === null) throw new Error('rocksdb-worker.ts runs as a worker thread');
const database = binding.db_init((workerData as WorkerSetup).handle);

port.on('message', (request: WorkerRequest) => {
  if (request.type !== 'read-entries') reply(request.id, () => answer(request));
  else goOn(request.id, readEntries(binding, database, request));
});

/** Takes one step; what has come meanwhile is answered before the next. */
function goOn(id: number, steps: ReturnType<typeof readEntries>): void {
  reply(id, () => {
    const step = steps.next();
    if (step.done) return step.value;
    setImmediate(goOn, id, steps);
    return undefined;
  });
}

/** Tells what `work` returns, unless that is nothing yet. */
function reply(id: number, work: () => WorkerAnswer | undefined): void {
  try {
    const done = work();
    if (done === undefined) return;
    const memory = done instanceof ArrayBuffer ? done : done.packed.buffer;
    port?.postMessage({ type: 'done', id, answer: done } satisfies WorkerReply, [memory]);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    port?.postMessage({ type: 'failed', id, message, code } satisfies WorkerReply);
  }
}

function answer(request: BufferRequest): ArrayBuffer {
  switch (request.type) {
    case 'write':
      write(request.buffer, request.operations, request.sync);
      return request.buffer;
    case 'read': {
      const keys = unpackKeys(request.buffer, request.count);
      return packValues(
        binding.db_get_many_sync(database, keys, { highWaterMarkBytes: request.answerBytesMax }),
      );
    }
  }
}

function write(buffer: ArrayBuffer, operations: number, sync: boolean): void {
  const batch = binding.batch_init();
  try {
    unpackGroup(buffer, operations, (type, first, second) => {
      if (type === 'put') binding.batch_put(batch, first, second, undefined);
      else binding.batch_del(batch, first, undefined);
      // The delete of its own start makes the batch non-empty, so that it is synced, and the range delete with it.
      if (type === 'delete-range') binding.db_clear(database, { gte: first, lt: second });
    });
    binding.batch_write(database, batch, { sync });
  } finally {
    binding.batch_clear(batch);
  }
}
