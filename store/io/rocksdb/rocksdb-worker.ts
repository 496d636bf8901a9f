import { parentPort, workerData } from 'node:worker_threads';
import { loadRocksBinding } from './binding.ts';
import { packValues, unpackGroup, unpackKeys } from './packing.ts';
import type { WorkerReply, WorkerRequest, WorkerSetup } from './worker-channel.ts';

/** The thread in which the engine waits for the disk: it writes groups, or reads groups of keys. */
const binding = loadRocksBinding();
const port = parentPort;
if (port === null) throw new Error('rocksdb-worker.ts runs as a worker thread');
const database = binding.db_init((workerData as WorkerSetup).handle);

port.on('message', (request: WorkerRequest) => {
  try {
    const buffer = answer(request);
    port.postMessage({ type: 'done', buffer } satisfies WorkerReply, [buffer]);
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    port.postMessage({ type: 'failed', message, code } satisfies WorkerReply);
  }
});

function answer(request: WorkerRequest): ArrayBuffer {
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
