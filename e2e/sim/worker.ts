import { parentPort, workerData } from 'node:worker_threads';
import { settle } from '../../store/io/settle.ts';
import { MUTANTS } from '../../store/sim/mutants/mutants.ts';
import type { WorldDeps } from '../../store/sim/world/world.ts';
import { applyMutant } from './apply-mutant.ts';
import type { Result, Task } from './protocol.ts';

/** A thread that runs seeds, of the store as it is or of a mutant of it. */

const { mutant } = workerData as { readonly mutant: string | undefined };
if (mutant !== undefined) applyMutant(MUTANTS.find(({ name }) => name === mutant));

// After the mutant, since what is loaded already stays as it was.
const { drawPlan } = await import('../../store/sim/world/plan.ts');
const { runPlan } = await import('../../store/sim/world/run.ts');
const { minimise } = await import('../../store/sim/world/minimise.ts');

let onUncaught: ((error: unknown) => void) | undefined;
process.on('unhandledRejection', (error) => onUncaught?.(error));
process.on('uncaughtException', (error) => onUncaught?.(error));

const DEPS: WorldDeps = {
  settle,
  onUncaught(fail) {
    onUncaught = fail;
    return () => {
      onUncaught = undefined;
    };
  },
};

async function perform({ type, seed, changes }: Task): Promise<Result> {
  switch (type) {
    case 'run':
      return { type: 'ran', verdict: await runPlan(drawPlan(seed, changes), DEPS) };
    case 'minimise':
      return { type: 'minimised', found: await minimise(seed, changes, DEPS) };
  }
}

parentPort?.on('message', (task: Task) => {
  perform(task).then(
    (result) => parentPort?.postMessage(result),
    (error: unknown) => {
      throw error;
    },
  );
});
