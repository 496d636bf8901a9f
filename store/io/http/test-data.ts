import { ClusterError } from '../../cluster/cluster-admin.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { describeBalance } from '../../core/ring/describe-balance.ts';
import { partitionOfSlot, slotOf } from '../../core/ring/slot.ts';
import { type TopologyState, toEpoch } from '../../core/topology/types.ts';
import type { Version } from '../../core/version/version.ts';
import { movingTo } from '../../node/data-admin.ts';
import type { KeyReport } from '../../peer/data-messages.ts';
import type {
  DataAdmin,
  DataStatus,
  ExplainedReplica,
  KeyExplanation,
  KeyPlace,
  LocalScanPage,
  LocalScanQuery,
  PlacedReplica,
  RingView,
  VerifyOutcome,
  VerifyProgress,
  VerifyScope,
} from '../../replication/data-admin.ts';
import { explainVerdict } from '../../replication/explain-verdict.ts';
import { createCounters } from '../../replication/links/counters.ts';
import type { TestCluster } from './test-cluster.ts';
import type { TestStore } from './test-store.ts';

const LONG_AGO: Version = { wallMs: 0x19aa1b2c3d4, counter: 0, member: 1 };

/** Replicated data over a TestCluster and a TestStore: every replica holds what the store has. A test breaks it. */
export class TestData implements DataAdmin {
  /** What a member says of any key instead; a text is why it does not answer. */
  readonly reports = new Map<MemberId, Partial<KeyReport> | string>();
  hints: KeyExplanation['hints'] = [];
  /** Awaited by `verify` after its first progress. */
  gate: Promise<void> | undefined;
  /** Thrown by `verify` behind the gate. */
  failure: Error | undefined;
  problems: readonly string[] = [];
  /** Whether a verification was told to end. */
  wasAborted = false;
  state: DataStatus = {
    replica: { state: 'ok', reason: undefined },
    hints: { bytes: 0, count: 0, owners: [] },
    exchange: {
      lastRoundMs: undefined,
      partitions: 4,
      partitionsEqual: 4,
      keysRepaired: 0,
      bytesSent: 0,
    },
    trees: { ready: 4, building: 0 },
    links: createCounters(),
  };
  readonly #cluster: TestCluster;
  readonly #store: TestStore;

  constructor(cluster: TestCluster, store: TestStore) {
    this.#cluster = cluster;
    this.#store = store;
  }

  ring(): RingView {
    const { epoch, settings, members, partitions } = this.#placed();
    const sets = partitions.map(({ replicas }) => replicas);
    return {
      epoch,
      ...settings,
      members: Array.from(members.values(), ({ number, name, httpAddress, zone, weight }) => {
        return { number, name, httpAddress, zone, isUp: this.#isUp(number), weight };
      }),
      sets: partitions.map(({ replicas, epoch: at, move }) => ({ replicas, epoch: at, ...movingTo(move) })),
      balance: describeBalance(sets, members),
    };
  }

  locate(key: Uint8Array): KeyPlace {
    const state = this.#placed();
    const slot = slotOf(key);
    const partition = partitionOfSlot(slot, state.settings.partitions);
    const { replicas = [], epoch = toEpoch(0), move } = state.partitions[partition] ?? {};
    return {
      slot,
      partition,
      epoch,
      ...movingTo(move),
      replicas: replicas.map((each, at) => this.#replica(state, each, at === 0)),
    };
  }

  async explain(namespace: string, key: Uint8Array): Promise<KeyExplanation> {
    const { replicas: places, ...place } = this.locate(key);
    const record = await this.#store.get(namespace, key);
    const base: KeyReport = {
      ...{
        epoch: place.epoch,
        version: record?.version,
        isTombstone: false,
        expiresAtMs: record?.expiresAtMs,
      },
      ...{
        bytes: record?.value.length ?? 0,
        isCorrupt: false,
        floor: LONG_AGO,
        watermark: LONG_AGO,
        hints: [],
      },
      lastExchange: [{ member: 2, atMs: Date.UTC(2026, 0, 2) }],
      treeState: 'ready',
    };
    const replicas = places.map((each): ExplainedReplica => this.#explained(each, base));
    const evidence = { ...place, replicas, hints: this.hints };
    return { ...evidence, ...explainVerdict(evidence, Date.now()) };
  }

  async verify(
    { node }: VerifyScope,
    onProgress: (progress: VerifyProgress) => void,
    signal: AbortSignal,
  ): Promise<VerifyOutcome> {
    const { members, settings } = this.#placed();
    if (node !== undefined && !members.values().some(({ name }) => name === node))
      throw new ClusterError('MEMBER_NOT_FOUND', `There is no member ${JSON.stringify(node)}.`);
    signal.addEventListener('abort', () => {
      this.wasAborted = true;
    });
    const total = settings.partitions;
    for (let done = 1; done <= total; done++) {
      onProgress({ done, total });
      if (done === 1) await this.gate;
    }
    if (this.failure !== undefined) throw this.failure;
    const equal = total - this.problems.length;
    return {
      ...{
        partitions: total,
        equal,
        keysRepaired: 2,
        bytesSent: 2048,
        unproven: [],
        problems: this.problems,
      },
      members: Array.from(members.values(), ({ number, name }) => {
        const error = this.#isUp(number) ? undefined : 'it is down';
        return { member: number, name, partitions: total, equal, error };
      }),
    };
  }

  async scanLocal(namespace: string, query: LocalScanQuery): Promise<LocalScanPage> {
    const { entries, resumeAfter } = await this.#store.scan(namespace, query);
    const local = entries.map((entry) => ({
      ...entry,
      ...{ partition: this.locate(entry.key).partition, isTombstone: false, isExpired: false },
    }));
    const deleted = { key: Buffer.from('~deleted'), partition: 0, isTombstone: true, isExpired: false };
    const record = {
      version: LONG_AGO,
      value: new Uint8Array(),
      contentType: undefined,
      expiresAtMs: undefined,
    };
    return { entries: query.withTombstones ? [...local, { ...deleted, record }] : local, resumeAfter };
  }

  status(): DataStatus {
    return this.state;
  }

  #explained({ member, name, isUp }: PlacedReplica, base: KeyReport): ExplainedReplica {
    const change = this.reports.get(member) ?? {};
    const replica = { member, name, isUp };
    if (typeof change === 'string')
      return { ...replica, isReachable: false, report: undefined, error: change };
    return { ...replica, isReachable: true, report: { ...base, ...change }, error: undefined };
  }

  #replica({ members }: TopologyState, member: MemberId, isPrimary: boolean): PlacedReplica {
    const { name = `member ${member}`, httpAddress = '' } = members.get(member) ?? {};
    return { member, name, isUp: this.#isUp(member), isPrimary, httpAddress };
  }

  #isUp(member: MemberId): boolean {
    return (this.#cluster.liveness.get(member) ?? 'alive') === 'alive';
  }

  #placed(): TopologyState {
    const { state } = this.#cluster;
    if (state === undefined) throw new ClusterError('CLUSTER_WAITING', 'This node waits for a cluster.');
    if (state.partitions.length > 0) return state;
    throw new ClusterError('CLUSTER_FORMING', 'The partitions are not placed yet.');
  }
}
