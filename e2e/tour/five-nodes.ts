import type { Cluster } from '../lib/cluster.ts';
import { DataHistory, type Target } from '../lib/data-history.ts';
import { addNode, drainOut, untilPlaced } from '../lib/elasticity.ts';
import { untilEqual } from '../lib/replicas-equal.ts';
import { equal, say, type Tourist } from './cities.ts';
import { type Explanation, explain } from './explain.ts';

const NAMESPACE = 'visitors';
const CLIENTS = 4;
const REQUESTS = 200;
const MOVES_DEADLINE_MS = 300_000;
const EQUAL_DEADLINE_MS = 120_000;

type Place = { readonly cluster: Cluster; readonly tourist: Tourist; readonly key: string };

/**
 * The tour goes on: under a load whose history is checked two nodes join and take their share, then a node that has a replica of the
 * key is drained. The key is safe on three nodes all the time, the last three without the drained one.
 */
export async function fiveNodesTour({ cluster, tourist, key }: Place): Promise<void> {
  tourist.cli('namespaces', 'create', NAMESPACE);
  await using history = new DataHistory({ keys: 20, label: 'visitor-', namespace: NAMESPACE });
  const stop = new AbortController();
  using _ = { [Symbol.dispose]: () => stop.abort() };
  let leaving = '';
  const targets = (): Target[] =>
    cluster.awake().flatMap(({ name, url }) => (name === leaving ? [] : [{ name, url }]));
  const running = history.run({ clients: CLIENTS, targets, signal: stop.signal });
  await Promise.race([history.more(REQUESTS), running]);
  const before = safeOn(tourist, key, 'with three nodes');

  const joined = [await addNode(cluster), await addNode(cluster)];
  say(`${joined.map(({ name }) => name).join(' and ')} join under load; before, ${key} is on ${before}`);
  await Promise.race([untilPlaced(cluster, { deadlineMs: MOVES_DEADLINE_MS, progress: say }), running]);
  const between = safeOn(tourist, key, 'with five nodes');
  say(`each of five nodes has its share; ${key} is on ${between}`);

  // The one whose departure takes the key to another node.
  leaving = between.find((name) => name !== 'kvorum-1') as string;
  const index = Number(leaving.replace('kvorum-', ''));
  await Promise.race([drainOut(cluster, [index], { deadlineMs: MOVES_DEADLINE_MS, progress: say }), running]);
  const after = safeOn(tourist, key, 'after a drain');
  equal(after.includes(leaving), false, `${leaving} is drained and has no replica`);
  say(`${leaving} is drained, removed and stopped; ${key} is on ${after}`);

  await Promise.race([history.more(REQUESTS), running]);
  stop.abort();
  await running;
  await history.readAll(targets());
  say(`${history.verify()} requests meanwhile, each key a linearizable register; ${history.summary()}`);
  await untilEqual(cluster, EQUAL_DEADLINE_MS);
}

/** The names of the three replicas that hold the newest version. */
function safeOn(tourist: Tourist, key: string, when: string): readonly string[] {
  const { safety, replicas, verdict }: Explanation = explain(tourist, key);
  equal([safety, replicas.length], ['safe', 3], `explain ${when}: ${verdict}`);
  return replicas.map(({ name }) => name).toSorted();
}
