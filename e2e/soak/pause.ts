import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../lib/cluster.ts';
import { ClusterLoad } from '../lib/cluster-load.ts';
import { clusterOf } from './cluster-soak.ts';
import type { Soak } from './soak.ts';

const PAUSE_MS = 10_000;
const QUESTIONS = 20;

/**
 * SIGSTOP of the leader for 10 s while the others elect another one and accept changes. The questions wait in its
 * sockets when it wakes and believes to lead still: no answer may miss a change that was acknowledged before.
 */
export const pauseSoak: Soak = async (run) => {
  await using cluster = await Cluster.start(clusterOf(run));
  const load = new ClusterLoad(cluster);
  load.start();
  let answered = 0;
  for (let round = 1; round <= run.rounds; round++) {
    const old = await cluster.leader();
    old.pause();
    await sleep(PAUSE_MS);
    const leader = await cluster.leader();
    const first = Array.from({ length: QUESTIONS / 2 }, () => load.readLinearizable(old));
    await load.nextAcceptedMs();
    old.wake();
    const later = Array.from({ length: QUESTIONS / 2 }, async (_, i) => {
      await sleep(5 * i);
      return load.readLinearizable(old);
    });
    const epochs = (await Promise.all([...first, ...later])).filter((epoch) => epoch !== undefined);
    answered += epochs.length;
    load.check();
    await cluster.until(`${old.name} did not follow`, async () => {
      const status = await old.status();
      return status?.node.role === 'follower' && status.leader !== undefined && status.quorum.state === 'ok';
    });
    run.progress(
      `round ${round} of ${run.rounds}: ${old.name} stood still, ${leader.name} leads; awake, it answered ${epochs.length} of ${QUESTIONS} questions, none stale`,
    );
  }
  return `${run.rounds} pauses of the leader, ${answered} answers right after waking, none stale; ${await load.stop()}`;
};
