import {
  type Engine,
  type EngineOperation,
  type OnWritten,
  type PlainOperation,
  type WriteOptions,
  written,
} from '../../storage/engine.ts';
import { plainOperations } from '../../storage/packed-entries.ts';
import type { DiskLog } from './disk-log.ts';

/** An engine that shows its writes to `log` once they have come to their end, before the node learns of it. */
export function watchEngine(
  engine: Engine,
  log: DiskLog,
  onWrite: (batch: readonly PlainOperation[], sync: boolean) => void,
): Engine {
  const submit = (batch: readonly EngineOperation[], options: WriteOptions, onEnd: OnWritten): void => {
    engine.submit(batch, options, (failure) => {
      if (failure === undefined) {
        const plain = [...plainOperations(batch)];
        log.written(plain, options.sync);
        onWrite(plain, options.sync);
      }
      onEnd(failure);
    });
  };
  return {
    name: engine.name,
    get: (key) => engine.get(key),
    getMany: (keys) => engine.getMany(keys),
    write: (batch, options) => written((onEnd) => submit(batch, options, onEnd)),
    submit,
    openView: (options) => engine.openView(options),
    readEntries: (range, bytesMax) => engine.readEntries(range, bytesMax),
    freeBytes: () => engine.freeBytes(),
    close: () => engine.close(),
  };
}
