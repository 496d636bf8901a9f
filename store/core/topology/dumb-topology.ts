import { type DumbPartition, dumbMoves, subsetsOf } from '../moves/dumb-moves.ts';
import type { TopologyCommand } from './command.ts';
import type { GenesisOptions } from './genesis.ts';
import type { Operation } from './types.ts';

/**
 * For tests: the state machine a second time, as dumb as can be. A list of members that is searched, rules in the
 * order in which docs/topology.md lists them, and plain values changed in place.
 */

type DumbMember = {
  number: number;
  name: string;
  directoryId: string;
  weight: number;
  up: boolean;
  isDraining: boolean;
  zone: string;
  zoneReplaced: string | undefined;
} & {
  incarnation: number;
  life: string;
  announcement: string;
};

export class Dumb {
  epoch = 1;
  members: DumbMember[];
  used = [1];
  partitions: DumbPartition[] = [];
  namespaces = [{ name: 'default', id: 1, createdAtMs: 0 }];
  lastNamespaceId = 1;
  operations: { -readonly [K in keyof Operation]: Operation[K] }[] = [];
  leases: { member: number; untilMs: number }[] = [];
  readonly settings: { partitions: number; replicationFactor: number };

  constructor({ first, settings }: GenesisOptions) {
    const { name, directoryId, weight, incarnation, life } = first;
    const announcement = announcementOf(first);
    const zones = { zone: first.zone, zoneReplaced: undefined };
    this.members = [
      {
        ...{ number: 1, name, directoryId, weight, incarnation, life, announcement, ...zones },
        ...{ up: true, isDraining: false },
      },
    ];
    this.settings = { ...settings };
    if (settings.replicationFactor === 1) this.placeAll(Array(settings.partitions).fill([1]), 1);
  }

  /** 'applied SUBJECT', 'unchanged SUBJECT' or a code. */
  apply(command: TopologyCommand): string {
    const before = this.shares();
    const verdict = this.verdict(command);
    if (!verdict.startsWith('applied')) return verdict;
    this.epoch++;
    if (this.shares() !== before) for (const one of this.operations) one.holdsBack = false;
    return verdict;
  }

  private shares = () =>
    JSON.stringify([
      this.settings.replicationFactor,
      this.receivers().map(({ number, weight, zone }) => [number, weight, zone]),
    ]);

  private verdict(command: TopologyCommand): string {
    switch (command.type) {
      case 'join':
        return this.join(command);
      case 'start':
        return this.start(command);
      case 'update-member': {
        const member = this.find(command.member);
        if (!member) return 'MEMBER_NOT_FOUND';
        const { weight = member.weight, zone = member.zone } = command;
        if (member.weight === weight && member.zone === zone) return `unchanged ${member.number}`;
        const said = member.zoneReplaced ?? member.zone;
        Object.assign(member, { weight, zone, zoneReplaced: zone === said ? undefined : said });
        return `applied ${member.number}`;
      }
      case 'remove-member': {
        const number = command.member;
        if (!this.find(number))
          return this.used.includes(number) ? `unchanged ${number}` : 'MEMBER_NOT_FOUND';
        if (!this.members.some((member) => member.up && member.number !== number)) return 'LAST_MEMBER';
        if (this.owns(number)) return 'MEMBER_OWNS_DATA';
        this.forget(number);
        this.endAbout(number, undefined);
        return `applied ${number}`;
      }
      case 'operation-start':
        return this.begin(command);
      case 'operation-cancel':
      case 'operation-end': {
        const { id, atMs } = command;
        const operation = this.operations.find((one) => one.id === id);
        if (!operation) return 'OPERATION_NOT_FOUND';
        return command.type === 'operation-end' ? this.end(operation, atMs) : this.cancel(operation, atMs);
      }
      case 'stop-lease': {
        const { member, seen, atMs, untilMs } = command;
        if (!this.find(member)) return 'MEMBER_NOT_FOUND';
        const live = this.leases.filter((lease) => lease.untilMs > atMs && lease.member !== member);
        if (live.some((lease) => !seen.includes(lease.member))) return 'STOP_LEASE_TAKEN';
        const next = [...live, { member, untilMs }].sort((a, b) => a.member - b.member);
        if (JSON.stringify(next) === JSON.stringify(this.leases)) return `unchanged ${member}`;
        this.leases = next;
        return `applied ${member}`;
      }
      case 'place-partitions':
        return this.place(command.expectedEpoch, command.replicaSets);
      case 'create-namespace': {
        const existing = this.namespaces.find(({ name }) => name === command.name);
        if (existing) return `unchanged ${existing.id}`;
        const id = ++this.lastNamespaceId;
        this.namespaces.push({ name: command.name, id, createdAtMs: command.createdAtMs });
        return `applied ${id}`;
      }
      case 'drop-namespace': {
        if (command.name === 'default') return 'NAMESPACE_PROTECTED';
        const at = this.namespaces.findIndex(({ name, id }) => name === command.name && id === command.id);
        if (at === -1) return 'NAMESPACE_NOT_FOUND';
        this.namespaces.splice(at, 1);
        return `applied ${command.id}`;
      }
      default:
        return dumbMoves(this, command);
    }
  }

  private begin({
    want,
    by,
    atMs,
    partitions,
    isForced,
  }: Extract<TopologyCommand, { type: 'operation-start' }>): string {
    const { replicationFactor } = this.settings;
    const isSame = (one: Operation) =>
      JSON.stringify({ ...one.want, previous: undefined }) ===
      JSON.stringify({ ...want, previous: undefined });
    const same = this.running().find(isSame);
    if (same) return `unchanged ${same.id}`;
    const able = this.receivers().map(({ number }) => number);
    if (want.type === 'drain' || want.type === 'replace') {
      const isKnown = this.find(want.member) || (want.type === 'replace' && this.owns(want.member));
      if (!isKnown) return 'MEMBER_NOT_FOUND';
      if (able.filter((one) => one !== want.member).length < replicationFactor) return 'TOO_FEW_MEMBERS';
      const zones = (without: number) =>
        new Set(
          this.receivers().flatMap(({ number, zone }) => (zone === '' || number === without ? [] : [zone])),
        );
      const isSpread = replicationFactor > 1 && zones(0).size >= replicationFactor;
      if (!isForced && isSpread && zones(want.member).size < replicationFactor) return 'TOO_FEW_ZONES';
      if (want.type === 'drain') Object.assign(this.find(want.member) ?? {}, { isDraining: true });
    }
    if (want.type === 'factor') {
      if (want.replicationFactor === replicationFactor) return 'unchanged 0';
      if (able.length < want.replicationFactor) return 'TOO_FEW_MEMBERS';
      for (const one of this.running())
        if (one.want.type === 'factor') Object.assign(one, { state: 'cancelled', endedAtMs: atMs });
      this.settings.replicationFactor = want.replicationFactor;
    }
    const id = (this.epoch + 1) as Operation['id'];
    const kept = want.type === 'factor' ? { ...want, previous: replicationFactor } : want;
    const times = { by, atMs, partitions, endedAtMs: undefined };
    this.operations.push({ id, want: kept, ...times, state: 'running', holdsBack: false });
    this.keepFew();
    return `applied ${id}`;
  }

  private cancel(operation: Dumb['operations'][number], atMs: number): string {
    const { id, state, want } = operation;
    if (state === 'cancelled') return `unchanged ${id}`;
    if (state === 'done') return 'OPERATION_NOT_CANCELLABLE';
    if (want.type === 'drain' || want.type === 'replace') {
      const member = this.find(want.member);
      if (!member) return 'OPERATION_NOT_CANCELLABLE';
      if (want.type === 'drain') member.isDraining = false;
    }
    if (want.type === 'factor') {
      if (this.receivers().length < want.previous) return 'TOO_FEW_MEMBERS';
      this.settings.replicationFactor = want.previous;
    }
    Object.assign(operation, { state: 'cancelled', endedAtMs: atMs, holdsBack: want.type === 'rebalance' });
    this.keepFew();
    return `applied ${id}`;
  }

  private end(operation: Dumb['operations'][number], atMs: number): string {
    const { id, state, want } = operation;
    if (state !== 'running') return `unchanged ${id}`;
    if (want.type === 'drain' || want.type === 'replace') {
      if (this.owns(want.member)) return 'MEMBER_OWNS_DATA';
      if (this.find(want.member) && !this.members.some(({ up, number }) => up && number !== want.member))
        return 'LAST_MEMBER';
      if (this.find(want.member)) this.endAbout(want.member, atMs);
      this.forget(want.member);
    }
    Object.assign(operation, { state: 'done', endedAtMs: atMs });
    this.keepFew();
    return `applied ${id}`;
  }

  private running = () => this.operations.filter(({ state }) => state === 'running');
  private keepFew(): void {
    while (this.operations.length - this.running().length > 32)
      this.operations.splice(
        this.operations.findIndex(({ state }) => state !== 'running'),
        1,
      );
  }
  private endAbout(number: number, endedAtMs: number | undefined): void {
    for (const one of this.running())
      if ('member' in one.want && one.want.member === number)
        Object.assign(one, { state: 'done', endedAtMs });
  }
  private forget(number: number): void {
    this.members = this.members.filter((member) => member.number !== number);
    this.leases = this.leases.filter(({ member }) => member !== number);
  }

  private join(command: Extract<TopologyCommand, { type: 'join' }>): string {
    const { name, directoryId, weight, replaces } = command;
    const same = this.members.find((member) => member.name === name && member.directoryId === directoryId);
    if (same) return `unchanged ${same.number}`;
    if (this.members.some((member) => member.directoryId === directoryId)) return 'NAME_TAKEN';
    const old = this.members.find((member) => member.name === name);
    if (old) {
      if (old.number !== replaces) return 'NAME_TAKEN';
      if (this.losesWithout(old.number)) return 'MEMBER_OWNS_DATA';
      if (!this.members.some((member) => member.up && member !== old)) return 'LAST_MEMBER';
      this.forget(old.number);
    }
    const number = Math.max(...this.used) + 1;
    for (const one of this.running())
      if (old && one.want.type === 'drain' && one.want.member === old.number)
        one.want = { type: 'drain', member: number };
    this.used.push(number);
    const announcement = announcementOf(command);
    this.members.push({
      number,
      name,
      directoryId,
      weight,
      incarnation: 0,
      life: '',
      announcement,
      up: false,
      isDraining: old?.isDraining ?? false,
      ...zonesOf(command.zone, old),
    });
    return `applied ${number}`;
  }

  private start(command: Extract<TopologyCommand, { type: 'start' }>): string {
    const member = this.find(command.member);
    if (!member) return 'MEMBER_NOT_FOUND';
    const { directoryId, incarnation, lives } = command;
    const life = lives[lives.length - 1] ?? '';
    // The incarnations that the directory remembers, each with its life.
    const remembered = new Map(lives.map((each, i) => [incarnation - lives.length + 1 + i, each]));
    const announcement = announcementOf(command);
    const isOld =
      member.incarnation > incarnation - lives.length && remembered.get(member.incarnation) !== member.life;
    if (directoryId !== member.directoryId || isOld) return 'MEMBER_STALE';
    const zones = zonesOf(command.zone, member);
    const isKnown =
      incarnation === member.incarnation &&
      announcement === member.announcement &&
      zones.zone === member.zone &&
      zones.zoneReplaced === member.zoneReplaced;
    if (isKnown) return `unchanged ${member.number}`;
    Object.assign(member, { incarnation, life, announcement, up: true, ...zones });
    this.leases = this.leases.filter((lease) => lease.member !== member.number);
    return `applied ${member.number}`;
  }

  private place(expectedEpoch: number, replicaSets: readonly (readonly number[])[]): string {
    if (this.partitions.length > 0) return 'ALREADY_PLACED';
    if (expectedEpoch !== this.epoch) return 'EPOCH_CHANGED';
    if (replicaSets.length !== this.settings.partitions) return 'BAD_PLACEMENT';
    for (const set of replicaSets) {
      const isSized = set.length === this.settings.replicationFactor && new Set(set).size === set.length;
      if (!isSized || !set.every((number) => this.find(number)?.isDraining === false)) return 'BAD_PLACEMENT';
    }
    this.placeAll(replicaSets, this.epoch + 1);
    return 'applied 0';
  }

  private placeAll(replicaSets: readonly (readonly number[])[], epoch: number): void {
    this.partitions = replicaSets.map((replicas) => ({ replicas: [...replicas], epoch }));
  }

  private find = (number: number) => this.members.find((member) => member.number === number);
  private owns = (number: number) =>
    this.partitions.some(({ replicas, facts }) => replicas.includes(number) || facts?.to.includes(number));
  /** No majority of a set that counts could ever answer again. */
  private losesWithout = (number: number) =>
    this.partitions.some(({ replicas, facts }) =>
      [replicas, facts?.stage === 'switch' ? facts.to : []]
        .filter((set) => set.includes(number))
        .some((set) => {
          const quorums = subsetsOf(set).filter((subset) => subset.length * 2 > set.length);
          return !quorums.some((quorum) => quorum.every((one) => one !== number && this.isMember(one)));
        }),
    );
  isMember = (number: number) => this.find(number) !== undefined;
  mayEnter = (number: number) => this.receivers().some((member) => member.number === number);
  private receivers = () =>
    this.members.filter(({ up, isDraining, number }) => {
      const isReplaced = this.running().some(({ want }) => want.type === 'replace' && want.member === number);
      return up && !isDraining && !isReplaced;
    });
}

/** A zone set by hand counts for as long as the same one is announced. */
const zonesOf = (announced: string, known?: { zone: string; zoneReplaced: string | undefined }) =>
  known?.zoneReplaced === announced
    ? { zone: known.zone, zoneReplaced: announced }
    : { zone: announced, zoneReplaced: undefined };

export type Announced = { peerAddress: string; httpAddress: string; zone: string; version: string };
/** But for the zone, which may be set by hand. */
export const announcementOf = ({ peerAddress, httpAddress, version }: Omit<Announced, 'zone'>) =>
  [peerAddress, httpAddress, version].join(' ');
