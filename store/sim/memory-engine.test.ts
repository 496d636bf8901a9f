import { describeEngine } from '../storage/engine-conformance.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryEngine } from './memory-engine.ts';
import { SimClock } from './sim-clock.ts';
import { createSimRandom } from './sim-random.ts';

describeEngine('MemoryEngine', async () => {
  const disk = new MemoryDisk(
    { capacityBytes: 2 ** 30 },
    { clock: new SimClock(), random: createSimRandom(1) },
  );
  return {
    open: async (onCommit) =>
      new MemoryEngine({ groupBytesMax: 2 ** 20 }, onCommit === undefined ? { disk } : { disk, onCommit }),
    failNextWrite: () => {
      disk.faults.failNextWrite = true;
    },
    destroy: async () => {},
  };
});
