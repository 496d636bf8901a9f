import type { MemberId } from '../core/raft/types.ts';
import type { Announcement } from '../core/topology/types.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import { PeerError, type Transport } from '../ports/transport.ts';

export type JoinRequest = {
  readonly clusterId: string;
  readonly name: string;
  readonly directoryId: string;
  readonly weight: number;
} & Announcement;

/** `stale`: the directory is an older copy of one that was a member's; it may only come back as another. */
export type JoinEnd =
  | ({ readonly type: 'joined' } & Joined)
  | { readonly type: 'stale'; readonly reason: string };
export type Joined = { readonly member: MemberId; readonly partitions: number };

export type JoinerDeps = {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly retryMs: number;
  /** In words, why there is no number yet. */
  onWaiting(reason: string): void;
};

/** Hops to a leader that a chain of hints may take, in an election hints may lead in circles. */
const HOPS_MAX = 4;

/**
 * Asks the node at `address`, and the leader that it names, for a member number; undefined where that did not come to an
 * end, with the reason told. Asking again is harmless: the same directory gets the same number.
 */
export async function askToJoin(
  request: JoinRequest,
  address: string,
  deps: JoinerDeps,
  signal: AbortSignal,
): Promise<JoinEnd | undefined> {
  const { clock, transport, timeoutMs, retryMs, onWaiting } = deps;
  let asked = address;
  for (let hop = 0; hop < HOPS_MAX && !signal.aborted; hop++) {
    try {
      const reply = await transport.request(asked, { type: 'join', ...request }, { timeoutMs, signal });
      switch (reply.type) {
        case 'joined':
          return reply;
        case 'refused':
          if (reply.code === 'MEMBER_STALE') return { type: 'stale', reason: reply.message };
          onWaiting(`the leader at ${asked} refuses: ${reply.message} (${reply.code})`);
          return undefined;
        case 'not-leader':
          if (reply.leader === undefined) {
            onWaiting(`the cluster at ${asked} has no leader`);
            return undefined;
          }
          asked = reply.leader.address;
          break;
        case 'busy':
        case 'unknown':
          onWaiting(`the leader at ${asked} says: ${reply.message}`);
          await sleep(clock, retryMs, signal);
          break;
        case 'who':
        case 'done':
        case 'transfer-refused':
        case 'data':
          onWaiting(`a join was answered with '${reply.type}' by ${asked}`);
          return undefined;
      }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      onWaiting(`${asked} does not answer: ${error.message}`);
      return undefined;
    }
  }
  return undefined;
}
