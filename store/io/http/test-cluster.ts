import {
  type BootstrapRequest,
  type ChangeResult,
  type ClusterAdmin,
  ClusterError,
  type ClusterStatus,
  type MemberChange,
  type MemberView,
  type OperationList,
  type OperationRequest,
  type OperationStarted,
  type OperationView,
  type QuorumStatus,
  type ReadConsistency,
  STOP_LEASE_MS,
  type StopAnswer,
} from '../../cluster/cluster-admin.ts';
import { startOf } from '../../cluster/move-driver.ts';
import { operationList } from '../../cluster/operation-list.ts';
import { refuseWithoutSpace } from '../../cluster/refuse-without-space.ts';
import type { Liveness } from '../../core/gossip/messages.ts';
import { canStop } from '../../core/moves/can-stop.ts';
import type { MoveFacts } from '../../core/moves/next-step.ts';
import { finishedOperations } from '../../core/moves/operations.ts';
import type { DiskReport } from '../../core/moves/plan-space.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { applyCommand } from '../../core/topology/apply.ts';
import type { RequestedWant, TopologyCommand } from '../../core/topology/command.ts';
import {
  type Epoch,
  type Member,
  type Partition,
  type TopologyNamespace,
  type TopologyState,
  toEpoch,
} from '../../core/topology/types.ts';

const SELF = 1;
/** Now, for all that is kept with a time. */
const AT_MS = Date.UTC(2026, 0, 1);

/** A cluster in memory as its first member, which votes and leads, sees it. A test breaks it through its fields. */
export class TestCluster implements ClusterAdmin {
  /** Undefined while the node waits for a cluster. */
  state: TopologyState | undefined = emptyTopology('0'.repeat(32), 3, 4);
  /** What gossip says, by member; alive where nothing is said. */
  readonly liveness = new Map<MemberId, Liveness>();
  /** Thrown by every change and every linearizable read. */
  failure: Error | undefined;
  /** Awaited before every change and read. */
  gate: Promise<void> | undefined;
  leader: MemberId = SELF;
  /** What members say of their disks; one of which nothing is said has room. */
  readonly disks = new Map<MemberId, DiskReport>();
  readonly #changed = new Set<() => void>();

  /** How many wait for an epoch now. */
  get waiting(): number {
    return this.#changed.size;
  }

  status(): ClusterStatus {
    const views = this.members();
    const count = (liveness: Liveness): number => views.filter((view) => view.liveness === liveness).length;
    const leader = views.find((view) => view.isLeader);
    return {
      node: this.#node(),
      clusterId: this.state?.clusterId,
      epoch: this.state?.epoch ?? toEpoch(0),
      leader: leader === undefined ? undefined : { member: leader.number, name: leader.name },
      ...{ term: 1, commitIndex: 3, appliedIndex: 3 },
      quorum: quorumOf(views),
      members: {
        total: views.length,
        ...{ alive: count('alive'), suspect: count('suspect'), dead: count('dead') },
      },
    };
  }

  members(): readonly MemberView[] {
    return Array.from(this.state?.members.values() ?? [], (member) => ({
      ...member,
      liveness: this.liveness.get(member.number) ?? 'alive',
      address: member.peerAddress,
      appliedEpoch: this.state?.epoch ?? toEpoch(0),
      load: 0,
      isVoter: true,
      isLeader: member.number === this.leader && this.failure === undefined,
    }));
  }

  async readTopology(consistency: ReadConsistency): Promise<TopologyState> {
    await this.gate;
    if (consistency === 'linearizable' && this.failure !== undefined) throw this.failure;
    return this.#known();
  }

  async waitForEpoch(after: number, signal: AbortSignal): Promise<TopologyState> {
    while (this.#known().epoch <= after && !signal.aborted) await this.#nextChange(signal);
    return this.#known();
  }

  async bootstrap(request: BootstrapRequest): Promise<{ clusterId: string; created: boolean }> {
    const { clusterId = 'c'.repeat(32), replicationFactor = 3, partitions = 4 } = request;
    if (this.state?.clusterId === clusterId) return { clusterId, created: false };
    if (this.state !== undefined)
      throw new ClusterError('ALREADY_BOOTSTRAPPED', `This node is of cluster ${this.state.clusterId}.`);
    this.#become(emptyTopology(clusterId, replicationFactor, partitions));
    return { clusterId, created: true };
  }

  async removeMember(name: string): Promise<ChangeResult> {
    const state = await this.#changeable();
    return this.#apply(state, { type: 'remove-member', member: this.#named(name).number });
  }

  async updateMember(name: string, { weight, zone }: MemberChange): Promise<ChangeResult> {
    const state = await this.#changeable();
    return this.#apply(state, { type: 'update-member', member: this.#named(name).number, weight, zone });
  }

  async startOperation(request: OperationRequest): Promise<OperationStarted> {
    const state = await this.#changeable();
    const facts = this.#facts(state);
    const want = this.#wantOf(request);
    const isForced = request.force === true;
    if (want.type === 'replace' && facts.isUp(want.member) && !isForced)
      throw new ClusterError('MEMBER_ALIVE', `${facts.nameOf(want.member)} is up.`);
    const command = { ...startOf(want, { state, facts, atMs: AT_MS }), isForced, by: request.by };
    const known = {
      factsOf: (after: TopologyState) => this.#facts(after),
      reports: this.disks,
      reserveBytes: 0,
    };
    if (!isForced) refuseWithoutSpace(state, command, known);
    const { epoch, subject } = this.#apply(state, command);
    return { epoch, operation: subject === 0 ? undefined : `${request.type}-${subject}` };
  }

  async cancelOperation(id: Epoch): Promise<ChangeResult> {
    return this.#apply(await this.#changeable(), { type: 'operation-cancel', id, atMs: AT_MS });
  }

  operations(): OperationList {
    const state = this.#known();
    return operationList(state, this.#facts(state));
  }

  /** As if a megabyte of each had come. */
  async operationProgress(operations: readonly OperationView[]): Promise<readonly OperationView[]> {
    const came = { bytesMoved: 1 << 20, bytesLeft: 2 << 20, bytesPerSecond: 1 << 19, etaSeconds: 4 };
    return operations.map((one) => (one.state === 'running' ? { ...one, ...came } : one));
  }

  async canStop(name: string, { isLookOnly }: { readonly isLookOnly: boolean }): Promise<StopAnswer> {
    const state = await this.#changeable();
    const { number: member } = this.#named(name);
    const voters = [...state.members.keys()];
    const facts = { ...this.#facts(state), voters, nowMs: AT_MS, hintsFor: () => 0 };
    const verdict = canStop(state, member, facts);
    if (!verdict.canStop || isLookOnly) return verdict;
    const untilMs = AT_MS + STOP_LEASE_MS;
    const seen = state.stopLeases.map((lease) => lease.member);
    this.#apply(state, { type: 'stop-lease', member, seen, atMs: AT_MS, untilMs });
    return { ...verdict, untilMs };
  }

  async transferLeadership(to: string | undefined): Promise<{ leader: string }> {
    await this.#changeable();
    const others = this.members().filter(
      ({ number, liveness }) => number !== this.leader && liveness === 'alive',
    );
    const chosen = to === undefined ? others[0] : this.#named(to);
    if (chosen === undefined) throw new ClusterError('TRANSFER_REFUSED', 'No other voter is alive.');
    if ((this.liveness.get(chosen.number) ?? 'alive') !== 'alive')
      throw new ClusterError('TRANSFER_REFUSED', `${chosen.name} is not alive.`);
    this.leader = chosen.number;
    return { leader: chosen.name };
  }

  async createNamespace(name: string): Promise<ChangeResult> {
    const state = await this.#changeable();
    const known = state.namespaces.get(name);
    if (known !== undefined) return { epoch: state.epoch, subject: known.id };
    const id = state.nextNamespaceId;
    const namespaces = new Map(state.namespaces).set(name, namespace(name, id));
    return this.#commit({ ...state, namespaces, nextNamespaceId: id + 1 }, id);
  }

  async dropNamespace(name: string, id: number): Promise<ChangeResult> {
    const state = await this.#changeable();
    const namespaces = new Map(state.namespaces);
    if (namespaces.get(name)?.id === id) namespaces.delete(name);
    return this.#commit({ ...state, namespaces }, id);
  }

  setHttpAddress(number: MemberId, httpAddress: string): void {
    const state = this.#known();
    const member = state.members.get(number) as Member;
    this.#become({ ...state, members: new Map(state.members).set(number, { ...member, httpAddress }) });
  }

  /** What a join comes to. */
  addMember(name: string): void {
    const state = this.#known();
    const number = state.nextMember;
    const members = new Map(state.members).set(number, memberOf(number, name));
    this.#commit({ ...state, members, nextMember: number + 1 }, number);
  }

  /** Puts the replicas of every partition on `replicas`, all members where absent. */
  placePartitions(replicas: readonly MemberId[] = [...this.#known().members.keys()]): void {
    const state = this.#known();
    const epoch = toEpoch(state.epoch + 1);
    const partitions = Array.from({ length: state.settings.partitions }, () => ({ replicas, epoch }));
    this.#commit({ ...state, partitions }, 0);
  }

  /** Has a partition move to `to`: the first step of it. */
  startMove(partition: number, to: readonly MemberId[]): void {
    const state = this.#known();
    const { epoch } = state.partitions[partition] as Partition;
    const moves = [{ partition, epoch, to }];
    this.#apply(state, { type: 'move-start', replicationFactor: to.length, moves });
  }

  /** What the leader does once nothing is left to do; of `ids` it is said to be so. */
  endOperations(ids?: readonly Epoch[]): void {
    const state = this.#known();
    const finished = finishedOperations(state, this.#facts(state)).map(({ id }) => id);
    for (const id of ids ?? finished) this.#apply(this.#known(), { type: 'operation-end', id, atMs: AT_MS });
  }

  #wantOf(request: OperationRequest): RequestedWant {
    switch (request.type) {
      case 'rebalance':
        return { type: 'rebalance' };
      case 'factor':
        return { type: 'factor', replicationFactor: request.replicationFactor };
      case 'drain':
      case 'replace':
        return { type: request.type, member: this.#named(request.member).number };
    }
  }

  #apply(before: TopologyState, command: TopologyCommand): ChangeResult {
    const outcome = applyCommand(before, command);
    if (outcome.type === 'refused') throw new ClusterError(outcome.refusal.code, outcome.refusal.message);
    const { state, subject } = outcome;
    if (outcome.type === 'applied') this.#become(state);
    return { epoch: state.epoch, subject };
  }

  #facts(state: TopologyState): MoveFacts {
    const isUp = (member: MemberId): boolean => (this.liveness.get(member) ?? 'alive') === 'alive';
    return {
      isUp: (member) => state.members.has(member) && isUp(member),
      isReplaced: (member) => !state.members.has(member),
      nameOf: (member) => state.members.get(member)?.name ?? `member-${member}`,
    };
  }

  #commit(state: TopologyState, subject: number): ChangeResult {
    const epoch = toEpoch(state.epoch + 1);
    this.#become({ ...state, epoch });
    return { epoch, subject };
  }

  #become(state: TopologyState): void {
    this.state = state;
    for (const wake of [...this.#changed]) wake();
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#changed.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#changed.add(done);
      signal.addEventListener('abort', done);
    });
  }

  async #changeable(): Promise<TopologyState> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    return this.#known();
  }

  #known(): TopologyState {
    if (this.state !== undefined) return this.state;
    throw new ClusterError('CLUSTER_WAITING', 'This node waits for a cluster.');
  }

  #named(name: string): Member {
    const member = this.#known()
      .members.values()
      .find((each) => each.name === name);
    if (member !== undefined) return member;
    throw new ClusterError('MEMBER_NOT_FOUND', `There is no member ${JSON.stringify(name)}.`);
  }

  #node(): ClusterStatus['node'] {
    const common = { name: 'node-1', incarnation: 1 };
    if (this.state === undefined)
      return {
        ...common,
        state: 'waiting',
        reason: 'no seed answers',
        member: undefined,
        role: undefined,
        isVoter: false,
      };
    const role = this.leader === SELF && this.failure === undefined ? 'leader' : 'follower';
    return { ...common, state: 'member', reason: undefined, member: SELF, role, isVoter: true };
  }
}

function emptyTopology(clusterId: string, replicationFactor: number, partitions: number): TopologyState {
  return {
    clusterId,
    epoch: toEpoch(1),
    settings: { partitions, replicationFactor },
    members: new Map([[SELF, memberOf(SELF, 'node-1')]]),
    nextMember: SELF + 1,
    partitions: [],
    namespaces: new Map([['default', namespace('default', 1)]]),
    nextNamespaceId: 2,
    operations: [],
    stopLeases: [],
  };
}

function memberOf(number: MemberId, name: string): Member {
  return {
    ...{
      number,
      name,
      directoryId: `directory-${number}`,
      weight: 100,
      state: 'up',
      isDraining: false,
      zoneReplaced: undefined,
      incarnation: 1,
      life: 'a',
    },
    ...{
      peerAddress: `10.0.0.${number}:7401`,
      httpAddress: `10.0.0.${number}:7400`,
      zone: '',
      version: '0.1.0',
    },
  };
}

function namespace(name: string, id: number): TopologyNamespace {
  return { name, id, consistency: 'quorum', createdAtMs: 0 };
}

function quorumOf(views: readonly MemberView[]): QuorumStatus {
  const voters = views.map(({ number, name, liveness }) => ({ member: number, name, liveness }));
  const missing = voters.filter(({ liveness }) => liveness !== 'alive').map(({ name }) => name);
  const needed = Math.floor(voters.length / 2) + 1;
  const isLost = voters.length - missing.length < needed;
  const state = voters.length === 0 ? 'none' : isLost ? 'lost' : missing.length > 0 ? 'degraded' : 'ok';
  const reason = missing.length > 0 ? `${missing.join(', ')} cannot be reached` : undefined;
  return { state, voters, needed, missing, reason };
}
