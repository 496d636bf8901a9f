import { ClusterError } from '../cluster/cluster-admin.ts';
import { settingsAs } from '../config/live-config.ts';
import { seedOf } from '../core/key-index/half-sip-hash.ts';
import { DEFAULT_SHAPE } from '../core/merkle/tree-shape.ts';
import { LatencyWindow } from '../core/moves/latency-window.ts';
import type { MemberId } from '../core/raft/types.ts';
import { Coordinator } from '../replication/coordinator/coordinator.ts';
import { createReplicatedStore } from '../replication/coordinator/replicated-store.ts';
import { AntiEntropy } from '../replication/exchange/anti-entropy.ts';
import { carry } from '../replication/exchange/carry.ts';
import { DataAsker } from '../replication/exchange/data-asker.ts';
import { DEFAULT_EXCHANGE_LIMITS } from '../replication/exchange/exchange-options.ts';
import { DurableHintKeeper } from '../replication/hints/hint-keeper.ts';
import { TransportDataPeers } from '../replication/links/data-peers.ts';
import { ReplicaLinks } from '../replication/links/replica-links.ts';
import { SharedSignals } from '../replication/links/shared-signals.ts';
import { ArrivingSpace } from '../replication/moves/arriving-space.ts';
import { BulkPacers } from '../replication/moves/bulk-pacers.ts';
import { memberReport } from '../replication/moves/member-report.ts';
import { DEFAULT_MOVE_LIMITS } from '../replication/moves/move-options.ts';
import { MoveParticipant } from '../replication/moves/move-participant.ts';
import { PartitionSizes } from '../replication/moves/partition-sizes.ts';
import { MoveProgress } from '../replication/moves/progress.ts';
import { ReceivedBytes } from '../replication/moves/received.ts';
import { RecordSize } from '../replication/moves/record-size.ts';
import { type LocalReplica, openReplica } from '../replication/replica/replica.ts';
import { createRouting } from '../replication/routing.ts';
import { createClusterScan } from '../replication/scan/cluster-scan.ts';
import type { DataPeers, ReplicaClient, Routing } from '../replication/types.ts';
import { KvError } from '../storage/errors.ts';
import { type NamespaceStates, type Namespaces, openNamespaces } from '../storage/namespaces.ts';
import type { StoredRecord } from '../storage/record.ts';
import { openVersionSource } from '../storage/version-source.ts';
import { answerData, type DataAnswerers } from './answer-data.ts';
import { timedBy } from './data-events.ts';
import { hintEvents, moveNoticeOf, noticeOf } from './data-notices.ts';
import type { DataService, DataServiceDeps } from './data-service.ts';
import { Healer } from './healer.ts';
import { namespaceTopology } from './namespace-topology.ts';
import { replicatedAdmin } from './replicated-admin.ts';

/** Bytes of hints that wait for the disk, in memory. */
const HINT_BACKLOG_BYTES_MAX = 16 << 20;
const COLLECT_EXPIRED_AT_ONCE = 1000;

/**
 * The data of one of several members: a replica for what it owns, a coordinator for whatever it is asked, and what keeps the
 * replicas equal. Wiring only: what each part does is said there (docs/replication.md).
 */
export async function startReplicatedService(deps: DataServiceDeps): Promise<DataService> {
  const { config, member, engine, meta, clock, random, transport, space } = deps;
  const foreground = new LatencyWindow();
  const p99Ms = (): number | undefined => foreground.p99Ms(clock.monotonicMs());
  const events = timedBy(deps.events, (seconds) => foreground.add(clock.monotonicMs(), seconds * 1000));
  const { topology } = member;
  const self = member.number;
  const { partitions } = member.options.identity;
  const versions = await openVersionSource(
    { member: self, aheadMs: config['clock.aheadMs'] },
    { clock, meta },
  );
  let namespaces: (Namespaces & NamespaceStates) | undefined;
  const healer = new Healer({ clock, heal: (namespaceId, key) => store.heal(namespaceId, key) });
  const replica = await openReplica(
    settingsAs(
      config,
      {
        skewMsMax: 'clock.skewMsMax',
        propagationMs: 'replication.propagationMs',
        versionCacheEntriesMax: 'replication.versionCacheEntriesMax',
        recordCacheBytes: 'replication.recordCacheBytes',
        writeBacklogBytesMax: 'storage.writeBacklogBytesMax',
        corruptRecordsMax: 'storage.corruptRecordsMax',
      },
      { self, partitions, treeShape: DEFAULT_SHAPE, hashSeed: seedOf(random.bytes(8)) },
    ),
    {
      ...{ engine, meta, clock, versions, space },
      // Namespaces are opened after it, since what was dropped meanwhile is deleted through the replica.
      namespaces: { stateOf: (id) => namespaces?.stateOf(id) ?? 'unknown' },
      topology: {
        partitions: () => topology.state?.partitions ?? [],
        waitForEpoch: (epoch, signal) => topology.waitFor((applied) => applied >= epoch, signal),
        onChange: (listener) => topology.onChange(listener),
      },
      onCorrupt(_partition, namespaceId, key) {
        events.onCorrupt();
        healer.found(namespaceId, key);
      },
      onError: deps.onError,
    },
  );
  // A service that is not opened to its end must leave nothing behind that goes on beside the next one.
  await using onFailure = new AsyncDisposableStack();
  onFailure.defer(() => replica.stop());
  namespaces = await openNamespaces(
    { partitions, namespacesMax: config['limits.namespacesMax'] },
    {
      ...{ engine, meta, topology: namespaceTopology({ ...deps, topology }), onError: deps.onError },
      deleteData: (id) => replica.dropNamespace(id),
      onServed: () => replica.namespacesChanged(),
    },
  );
  const routing = createRouting(
    { self, partitions },
    {
      topology,
      isUp: (number) => member.isUp(number),
      onLiveness: (listener) => member.onLiveness(listener),
    },
  );
  const addressOf = (number: typeof self): string | undefined => member.book.addressOf(number);
  const links = new ReplicaLinks(
    settingsAs(
      config,
      {
        frameBytesMax: 'replication.frameBytesMax',
        replicaInFlightMax: 'replication.replicaInFlightMax',
        replicaInFlightBytesMax: 'replication.replicaInFlightBytesMax',
      },
      { self },
    ),
    { clock, random, defer: deps.defer, transport, addressOf, replica },
  );
  const hints = new DurableHintKeeper(
    settingsAs(
      config,
      {
        bytesMax: 'hints.bytesMax',
        ageMsMax: 'hints.ageMsMax',
        replayBytesPerSecond: 'hints.replayBytesPerSecond',
        timeoutMs: 'replication.requestTimeoutMs',
      },
      { backlogBytesMax: HINT_BACKLOG_BYTES_MAX },
    ),
    {
      ...{ engine, clock, space, client: links, routing },
      // After a start the log is applied again: who is newer than its snapshot is no member yet, and was not removed.
      isMember: (number) => {
        const { state } = topology;
        return state === undefined || number >= state.nextMember || state.members.has(number);
      },
      events: hintEvents(deps),
    },
  );
  const coordinator = new Coordinator(
    settingsAs(config, { skewMsMax: 'clock.skewMsMax', hedgeMsMin: 'replication.hedgeMsMin' }),
    {
      ...{ routing, versions, clock, hints, events },
      askReplica: (request, options, onEnd) => links.askWith(request, options, onEnd),
      unplaced: () => new ClusterError('CLUSTER_FORMING', 'the partitions are not placed yet'),
    },
  );
  const signals = new SharedSignals({ clock });
  const peers = new TransportDataPeers(
    { self },
    { transport, signals, addressOf, serve: (request) => answerData(answerers, request, self) },
  );
  const scan = createClusterScan(
    settingsAs(config, {
      scanPageBytesMax: 'limits.scanPageBytesMax',
      scanExaminedMax: 'limits.scanExaminedMax',
      timeoutMs: 'replication.requestTimeoutMs',
    }),
    {
      ...{ clock, routing, peers },
      scanHere: (request) => answerData(answerers, { ...request, to: self }, self),
      notMet: (message) => new KvError('QUORUM_NOT_MET', message, { outcome: 'unwritten' }),
      readKey: (namespaceId, _partition, key, deadlineMs) =>
        readRecord(coordinator, namespaceId, key, deadlineMs),
    },
  );
  const antiEntropy = new AntiEntropy(
    settingsAs(
      config,
      {
        intervalMs: 'antiEntropy.intervalMs',
        roundIntervalMs: 'antiEntropy.roundIntervalMs',
        bytesPerSecond: 'antiEntropy.bytesPerSecond',
        propagationMs: 'replication.propagationMs',
      },
      { self, incarnation: member.options.identity.incarnation, limits: DEFAULT_EXCHANGE_LIMITS },
    ),
    {
      ...{ clock, random, routing, replica, peers, client: links },
      tell: (event) => noticeOf(event, deps, routing),
    },
  );
  const received = new ReceivedBytes({ clock });
  const recordSize = new RecordSize({
    ...{ clock, engine },
    ownedPartitions: () => replica.ownedPartitions(),
  });
  const answerers: DataAnswerers = {
    ...{ self, replica, hints, antiEntropy, engine, topology, clock, routing, p99Ms },
    report: () =>
      memberReport({ replica, received, recordSize, hints, freeBytes: () => space.state.freeBytes }),
    onCorrupt: (namespaceId, key) => healer.found(namespaceId, key),
  };
  const moves = moveParticipant({ ...deps, replica, routing, peers, client: links, answerers, received });
  const store = createReplicatedStore(
    settingsAs(config, {
      requestTimeoutMs: 'replication.requestTimeoutMs',
      requestTimeoutMsMax: 'replication.requestTimeoutMsMax',
      inFlightMax: 'replication.inFlightMax',
      idempotencyKeysMax: 'replication.idempotencyKeysMax',
    }),
    {
      ...{ coordinator, clock, namespaces },
      catchUp: (signal) => member.readBarrier(signal),
      scan: {
        scanPage: ({ id }, query, { r: level, timeoutMs }) => scan.scanPage(id, query, { level, timeoutMs }),
        scanAll: ({ id }, range) => scan.scanAll(id, range),
      },
    },
  );
  healer.start();
  antiEntropy.start();
  moves.start();
  onFailure.move();
  return {
    store,
    admin: replicatedAdmin({
      ...{ ...deps, namespaces, replica, routing, hints, antiEntropy, peers, links, answerers },
    }),
    progress: new MoveProgress({ routing, peers, topology }),
    peers: {
      onBatch: (from, batch) => links.receive(from, batch),
      answer: (from, request) => answerData(answerers, request, from.member?.number ?? self),
      onUnlink: (address) => links.onUnlink(address),
    },
    readiness() {
      const { outReason } = replica;
      return outReason === undefined ? { ok: true } : { ok: false, reason: outReason };
    },
    reap: () => replica.collectExpired(COLLECT_EXPIRED_AT_ONCE),
    async settled() {
      await namespaces.settled();
      await replica.settled();
    },
    async stop() {
      scan.stop();
      namespaces.close();
      // Told first, so that what they wait for is not taken for a failure when it ends.
      const background = [moves.stop(), antiEntropy.stop(), healer.stop()];
      // Whoever waits for a replica is told that this node stops, then whoever waits for something else that its time is over.
      links.stop();
      coordinator.stop();
      signals.stop();
      await Promise.all(background);
      await hints.stop();
      routing.close();
      // The end of the replica ends the deletion of a namespace, which may take long.
      await Promise.all([replica.stop(), namespaces.settled()]);
    },
  };
}

type ParticipantParts = DataServiceDeps & {
  readonly replica: LocalReplica;
  readonly routing: Routing;
  readonly peers: DataPeers;
  readonly client: ReplicaClient;
  readonly answerers: DataAnswerers;
  readonly received: ReceivedBytes;
};

/** This member's part in moves. What it cannot say to the leader, or say in time, it says again by itself. */
function moveParticipant(parts: ParticipantParts): MoveParticipant {
  const { config, member, clock, signal, routing, replica, peers, client, answerers, received, space } =
    parts;
  const { topology, number: self } = member;
  const limits = { ...DEFAULT_MOVE_LIMITS, partitionsMax: config['moves.partitionsMax'] };
  const pacers = new BulkPacers(
    settingsAs(config, {
      targetMs: 'moves.latencyTargetMs',
      bytesPerSecondMin: 'moves.bytesPerSecondMin',
      bytesPerSecondMax: 'moves.bytesPerSecond',
    }),
    { clock, p99Ms: answerers.p99Ms },
  );
  const arriving = new ArrivingSpace({ received, space: () => space.state });
  const pacerOf = (from: MemberId) => pacers.of(from);
  const asker = new DataAsker(
    { self, requestMs: limits.requestMs, sendsMax: 2 },
    { peers, answer: (request) => answerData(answerers, request, self) },
  );
  return new MoveParticipant(
    { self, limits },
    {
      ...{ clock, routing, replica, client, topology, pacerOf, asker },
      stagesBytesOf: (from) => pacers.stagesBytesOf(from),
      sizes: new PartitionSizes({ clock, asker }),
      carry: (cargo, stop) => carry({ self, requestMs: limits.requestMs }, { client, pacerOf }, cargo, stop),
      onBytes(at, bytes) {
        received.add(at, bytes);
        moveNoticeOf({ type: 'moved', partition: at.partition, bytes }, parts);
      },
      onSourceLoad: (source, sourceP99Ms) => pacers.onLoad(source, sourceP99Ms),
      whyNoRoom: (at, bytes) => arriving.take(at, bytes),
      onArrived: (partition) => arriving.release(partition),
      propose: (command) => member.calls.propose(command, signal),
      tell: (event) => moveNoticeOf(event, parts),
    },
  );
}

/** What holds for a key at quorum, deleted and expired records too. */
function readRecord(
  coordinator: Coordinator,
  namespaceId: number,
  key: Uint8Array,
  deadlineMs: number,
): Promise<StoredRecord | undefined> {
  return new Promise((resolve, reject) => {
    const request = { namespaceId, key, deadlineMs, onReplicas: undefined, level: 'quorum' } as const;
    coordinator.read(request, (end) => (end.type === 'failed' ? reject(end.error) : resolve(end.record)));
  });
}
