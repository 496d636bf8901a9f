import { Cluster } from '../lib/cluster.ts';
import { ClusterLoad } from '../lib/cluster-load.ts';
import { clusterOf, distributionOf } from './cluster-soak.ts';
import type { Soak } from './soak.ts';

/**
 * kill -9 of the leader under a stream of topology changes, again and again: another one leads each time, and no
 * acknowledged change is lost. Tells how long changes were not accepted.
 */
export const leaderSoak: Soak = async (run) => {
  await using cluster = await Cluster.start(clusterOf(run));
  const load = new ClusterLoad(cluster);
  load.start();
  const gapsMs: number[] = [];
  for (let round = 1; round <= run.rounds; round++) {
    const old = await cluster.leader();
    const { term } = await cluster.status(old.index);
    await load.nextAcceptedMs();
    await cluster.kill(old.index);
    const gapMs = await load.nextAcceptedMs();
    gapsMs.push(gapMs);
    const leader = await cluster.leader();
    if (leader === old) throw new Error(`${old.name} leads and was killed`);
    const status = await cluster.status(leader.index);
    if (status.term <= term)
      throw new Error(`${leader.name} leads in term ${status.term}, not above ${term}`);
    await cluster.restart(old.index, { withNewPorts: false });
    await cluster.until(`${old.name} did not come back`, async () => isBack(await old.status()));
    load.check();
    run.progress(
      `round ${round} of ${run.rounds}: killed ${old.name}, ${leader.name} leads, a change was accepted after ${Math.round(gapMs)} ms`,
    );
  }
  const summary = await load.stop();
  return `${run.rounds} leaders killed, next change accepted after ${distributionOf(gapsMs)}; ${summary}`;
};

type Status = Awaited<ReturnType<Cluster['status']>>;

function isBack(status: Status | undefined): boolean {
  return status?.node.state === 'member' && status.quorum.state === 'ok';
}

/** SIGTERM of the leader: it hands over first, so that changes go on almost without a pause. */
export const handoverSoak: Soak = async (run) => {
  await using cluster = await Cluster.start(clusterOf(run));
  const load = new ClusterLoad(cluster);
  load.start();
  const gapsMs: number[] = [];
  for (let round = 1; round <= run.rounds; round++) {
    const old = await cluster.leader();
    const stopped = cluster.stop(old.index);
    const gapMs = await load.longestGapMs(stopped);
    const code = await stopped;
    if (code !== 0) throw new Error(`SIGTERM ended the leader ${old.name} with ${code}`);
    gapsMs.push(gapMs);
    const leader = await cluster.leader();
    await cluster.restart(old.index, { withNewPorts: false });
    await cluster.until(`${old.name} did not come back`, async () => isBack(await old.status()));
    load.check();
    run.progress(
      `round ${round} of ${run.rounds}: stopped ${old.name}, ${leader.name} leads, longest time without a change ${Math.round(gapMs)} ms`,
    );
  }
  const summary = await load.stop();
  const worst = Math.max(...gapsMs);
  if (worst >= ELECTION_TIMEOUT_MS)
    throw new Error(`a graceful stop of the leader took as long as an election: ${Math.round(worst)} ms`);
  return `${run.rounds} leaders stopped, longest time without a change ${distributionOf(gapsMs)}; ${summary}`;
};

/** The default of raft.electionTimeoutMs: nobody elects a leader by itself in less. */
const ELECTION_TIMEOUT_MS = 1000;
