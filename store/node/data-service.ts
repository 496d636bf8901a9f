import type { ClusterAdmin } from '../cluster/cluster-admin.ts';
import type { Member } from '../cluster/member.ts';
import type { DataPeersService } from '../cluster/peer-handlers.ts';
import type { Config } from '../config/settings.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { DataAdmin } from '../replication/data-admin.ts';
import type { MoveProgress } from '../replication/moves/progress.ts';
import type { Engine } from '../storage/engine.ts';
import type { KvStore } from '../storage/kv-store.ts';
import type { MetaStore } from '../storage/meta-store.ts';
import type { SpaceGuard } from '../storage/space-guard.ts';
import type { DataEvents } from './data-events.ts';

/** The data of a member, from the turn in which the partitions are placed. */
export type DataService = {
  readonly store: KvStore;
  readonly admin: DataAdmin;
  /** How far moves of partitions are; undefined where there are no other members. */
  readonly progress: MoveProgress | undefined;
  /** What other members say to it; undefined where there are none. */
  readonly peers: DataPeersService | undefined;
  /** Whether this node may be sent requests for keys; in words where not. */
  readiness(): { readonly ok: boolean; readonly reason?: string | undefined };
  /** Removes what may be removed now. */
  reap(): Promise<number>;
  /** Resolves once what the topology dropped so far is gone from the disk. */
  settled(): Promise<void>;
  stop(): Promise<void>;
};

/** What every kind of service is made of. */
export type DataServiceDeps = {
  readonly config: Config;
  readonly member: Member;
  readonly cluster: ClusterAdmin;
  readonly engine: Engine;
  readonly meta: MetaStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  /** Calls `work` soon, after what else runs in this turn. */
  readonly defer: (work: () => void) => void;
  readonly space: SpaceGuard;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
  /** Why the engine is used no more, if it is not. */
  engineFailure(): Error | undefined;
  readonly events: DataEvents;
  onReaped(records: number): void;
  onError(error: unknown): void;
};
