import type { Engine, EngineOperation } from '../../storage/engine.ts';
import type { DiskLog } from './disk-log.ts';

/** An engine that shows its writes to `log` once they have come to their end, before the node learns of it. */
export function watchEngine(
  engine: Engine,
  log: DiskLog,
  onWrite: (batch: readonly EngineOperation[], sync: boolean) => void,
): Engine {
  return {
    name: engine.name,
    get: (key) => engine.get(key),
    getMany: (keys) => engine.getMany(keys),
    async write(batch, options) {
      await engine.write(batch, options);
      log.written(batch, options.sync);
      onWrite(batch, options.sync);
    },
    openView: (options) => engine.openView(options),
    freeBytes: () => engine.freeBytes(),
    close: () => engine.close(),
  };
}
