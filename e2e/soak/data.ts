import type { ClusterNode } from '../lib/cluster-node.ts';
import { isInsideNetwork, networkObstacle, runInNetwork } from '../lib/network.ts';
import { requireEqualReplicas, requireSafe } from '../lib/replicas-equal.ts';
import { distributionOf } from './cluster-soak.ts';
import { DATA_FAULTS, type DataFaultName } from './data-faults.ts';
import { DataStage, networkOfProcess } from './data-stage.ts';
import type { Soak, SoakRun } from './soak.ts';

/**
 * Faults in turn to five nodes under a load of reads and writes. After each one all replicas are found equal, every key
 * is explained as safe, and every key's history since the start of the stage is linearizable.
 */
export function dataSoak(soakName: string, faults: readonly DataFaultName[]): Soak {
  return async (run) => {
    if (!faults.includes('partition') || isInsideNetwork()) return dataRounds(run, faults);
    const obstacle = networkObstacle();
    if (obstacle === undefined) return inNetwork(soakName, run);
    const rest = faults.filter((name) => name !== 'partition');
    if (rest.length === 0) return `not run: ${obstacle}`;
    return `${await dataRounds(run, rest)}; without a partition: ${obstacle}`;
  };
}

async function inNetwork(soakName: string, run: SoakRun): Promise<string> {
  const script = ['e2e/soak.ts', soakName, '--rounds', String(run.rounds), '--engine', run.engine];
  let last = '';
  const code = await runInNetwork(script, (line) => {
    const text = line.replace(`${soakName} ${run.engine}: `, '');
    if (text === line) {
      process.stderr.write(`${line}\n`);
      return;
    }
    if (last !== '') run.progress(last);
    last = text;
  });
  if (code !== 0) throw new Error(`the run in a network of its own ended with ${code}: ${last}`);
  return last;
}

async function dataRounds(run: SoakRun, faults: readonly DataFaultName[]): Promise<string> {
  const tally: Tally = { equalMs: [], keysRepaired: 0 };
  const network = networkOfProcess();
  await using stage = await DataStage.start({
    ...{ directory: run.directory, engine: run.engine, network },
    hasSmallDisk: faults.includes('disk'),
  });
  for (let round = 1; round <= run.rounds; round++) {
    const name = faults[(round - 1) % faults.length] as DataFaultName;
    const text = await dataRound(stage, name, tally);
    run.progress(`round ${round} of ${run.rounds}: ${text}`);
  }
  const equal = `equal after ${distributionOf(tally.equalMs)}, ${tally.keysRepaired} keys repaired by it`;
  return `${run.rounds} faults, ${equal}; ${stage.load.summary()}`;
}

type Tally = { readonly equalMs: number[]; keysRepaired: number };

async function dataRound(stage: DataStage, name: DataFaultName, tally: Tally): Promise<string> {
  const { load, cluster, map } = stage;
  load.start();
  await stage.goesOn(0);
  const done = await DATA_FAULTS[name](stage, chooseVictims(cluster.nodes));
  await stage.isWholeAgain();
  await load.stop();
  const { tookMs, keysRepaired } = await requireEqualReplicas(cluster, map);
  await requireSafe(cluster, load.ledger.keys);
  tally.equalMs.push(tookMs);
  tally.keysRepaired += keysRepaired;
  await load.readAll();
  load.ledger.check();
  return `${name}: ${done}; equal after ${Math.round(tookMs)} ms; ${load.summary()}`;
}

function chooseVictims(nodes: readonly ClusterNode[]) {
  const first = Math.floor(Math.random() * nodes.length);
  const step = 1 + Math.floor(Math.random() * (nodes.length - 1));
  const second = (first + step) % nodes.length;
  return { one: nodes[first] as ClusterNode, other: nodes[second] as ClusterNode };
}
