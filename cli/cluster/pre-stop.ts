import { setTimeout as sleep } from 'node:timers/promises';
import { type KvorumClient, KvorumError } from '@kvorum/client';
import { CliError, EXIT } from '../lib/cli-error.ts';
import { newClient } from '../lib/new-client.ts';
import { print, type Session } from '../lib/session.ts';
import { formatVerdict } from '../operations/operation-text.ts';
import type { ServiceGone } from './service-gone.ts';

/**
 * What a supervisor runs before it ends a node, as the preStop hook of a pod: it returns when no quorum is lost with the node, or
 * there is nothing to wait for. The node goes on serving meanwhile; SIGTERM comes after it.
 */
export type PreStopOptions = {
  /** The longest wait; then it throws, and the supervisor goes on all the same. */
  readonly waitMs: number;
  /** The shortest time, within the wait: clients learn meanwhile that they are to ask others. */
  readonly serveMs: number;
};

/** `service` tells that the whole cluster is being deleted: then nobody is to be served any more, and all nodes may stop at once. */
export type PreStopDeps = { readonly service: Pick<ServiceGone, 'ask'> };

const ASK_INTERVAL_MS = 1000;
/** With fewer replicas no node can ever be spared, so waiting brings nothing. */
const REPLICATION_FACTOR_MIN = 3;

export async function preStop(
  session: Session,
  { waitMs, serveMs }: PreStopOptions,
  deps: PreStopDeps,
): Promise<void> {
  const startMs = performance.now();
  const leftMs = (wantedMs: number): number => Math.max(0, startMs + wantedMs - performance.now());
  await using client = newClient(session, { ring: false });
  const { node, quorum } = await client.cluster();
  if (node.state !== 'member') return print(`${node.name} is ${node.state}: nobody misses it\n`);
  if (quorum.state === 'lost') return print('the quorum is lost already: there is nothing to wait for\n');
  if (await waitUntilSpare(client, node.name, () => leftMs(waitMs), deps)) return;
  await handOver(client);
  await sleep(leftMs(Math.min(serveMs, waitMs)));
}

/** True where the cluster is deleted. Throws CliError with the reasons where the time is over before. */
async function waitUntilSpare(
  client: KvorumClient,
  name: string,
  leftMs: () => number,
  { service }: PreStopDeps,
): Promise<boolean> {
  const { settings } = await client.topology({ consistency: 'local' });
  for (;;) {
    const answer = await ask(client, name);
    if (answer.isSpare) return done(`${name} may stop: ${answer.said}`);
    if (await service.ask()) {
      print(`${name} stops: the cluster is deleted, and its Service is gone\n`);
      return true;
    }
    if (settings.replicationFactor < REPLICATION_FACTOR_MIN) {
      return done(`${name} stops, with ${settings.replicationFactor} replicas of each key: ${answer.said}`);
    }
    if (leftMs() <= 0)
      throw new CliError(
        EXIT.cannotStop,
        `${name} is not to stop, and there is no more time: ${answer.said}`,
      );
    await sleep(Math.min(ASK_INTERVAL_MS, leftMs()));
  }
}

function done(text: string): false {
  print(text);
  return false;
}

type Answer = { readonly isSpare: boolean; readonly said: string };

/** A member that is none any more is missed by nobody; where nobody can tell, it is asked again. */
async function ask(client: KvorumClient, name: string): Promise<Answer> {
  try {
    const verdict = await client.canStop(name);
    return { isSpare: verdict.canStop, said: formatVerdict(verdict) };
  } catch (error) {
    if (!(error instanceof KvorumError)) throw error;
    return { isSpare: error.code === 'MEMBER_NOT_FOUND', said: `${error.message}\n` };
  }
}

/** A node hands over by itself at its end as well: this only makes the gap shorter, so a refusal is no failure. */
async function handOver(client: KvorumClient): Promise<void> {
  const { node } = await client.cluster();
  if (node.role !== 'leader') return;
  try {
    const { leader } = await client.transferLeadership();
    print(`${leader} leads now\n`);
  } catch (error) {
    if (!(error instanceof KvorumError)) throw error;
    print(`goes on leading until its end: ${error.message}\n`);
  }
}
