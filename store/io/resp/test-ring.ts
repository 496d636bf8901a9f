import type { RingView } from '../../replication/data-admin.ts';
import { TestCluster } from '../http/test-cluster.ts';
import { TestData } from '../http/test-data.ts';
import { TestStore } from '../http/test-store.ts';
import type { RespDeps } from './resp-context.ts';

/** Three members, of which the test says who is up and who owns the partitions; the first one is asked. */
export function dataOf(
  sets: readonly (readonly number[])[],
  down: readonly number[] = [],
  without: readonly number[] = [],
): Pick<RespDeps, 'data'> {
  const cluster = new TestCluster();
  const data = new TestData(cluster, new TestStore());
  const members = [1, 2, 3].map((number) => ({
    ...{ number, name: `n${number}`, httpAddress: `10.0.0.${number}:7400`, zone: '', weight: 100 },
    respAddress: without.includes(number) ? undefined : `10.0.0.${number}:6379`,
    isUp: !down.includes(number),
  }));
  const ring = {
    epoch: 7,
    partitions: sets.length,
    replicationFactor: 3,
    members,
    sets: sets.map((replicas) => ({ replicas, epoch: 1 })),
  };
  data.ring = () => ring as unknown as RingView;
  return { data: () => data };
}
