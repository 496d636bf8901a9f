import { type Engine, EngineFailedError } from './engine.ts';

/**
 * An engine whose first failure ends all use of it, reads too, whoever's call met it: a client's write, a new
 * namespace, the reaper, the bound of the versions. `onFailed` is told once.
 */
export function failStop(engine: Engine, onFailed: (error: EngineFailedError) => void): Engine {
  let failure: EngineFailedError | undefined;
  const learn = (error: unknown): void => {
    if (!(error instanceof EngineFailedError) || failure !== undefined) return;
    failure = error;
    onFailed(error);
  };
  const note = (error: unknown): never => {
    learn(error);
    throw error;
  };
  const watch = <T>(work: () => Promise<T>): Promise<T> =>
    failure === undefined ? work().catch(note) : Promise.reject(failure);
  return {
    name: engine.name,
    get: (key) => watch(() => engine.get(key)),
    getMany: (keys) => watch(() => engine.getMany(keys)),
    write: (batch, options) => watch(() => engine.write(batch, options)),
    submit(batch, options, onEnd) {
      const known = failure;
      if (known !== undefined) queueMicrotask(() => onEnd(known));
      else
        engine.submit(batch, options, (error) => {
          if (error !== undefined) learn(error);
          onEnd(error);
        });
    },
    openView(options) {
      if (failure !== undefined) throw failure;
      return engine.openView(options);
    },
    readEntries: (range, bytesMax) => watch(() => engine.readEntries(range, bytesMax)),
    freeBytes: () => engine.freeBytes(),
    close: () => engine.close(),
  };
}
