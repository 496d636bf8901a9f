import { type DumbPartition, dumbMoves, subsetsOf } from '../moves/dumb-moves.ts';
import type { TopologyCommand } from './command.ts';
import type { GenesisOptions } from './genesis.ts';

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
  readonly settings: { readonly partitions: number; readonly replicationFactor: number };

  constructor({ first, settings }: GenesisOptions) {
    const { name, directoryId, weight, incarnation, life } = first;
    const announcement = announcementOf(first);
    this.members = [
      { number: 1, name, directoryId, weight, incarnation, life, announcement, up: true, isDraining: false },
    ];
    this.settings = settings;
    if (settings.replicationFactor === 1) this.placeAll(Array(settings.partitions).fill([1]), 1);
  }

  /** 'applied SUBJECT', 'unchanged SUBJECT' or a code. */
  apply(command: TopologyCommand): string {
    const verdict = this.verdict(command);
    if (verdict.startsWith('applied')) this.epoch++;
    return verdict;
  }

  private verdict(command: TopologyCommand): string {
    switch (command.type) {
      case 'join':
        return this.join(command);
      case 'start':
        return this.start(command);
      case 'update-member': {
        const member = this.find(command.member);
        if (!member) return 'MEMBER_NOT_FOUND';
        if (member.weight === command.weight) return `unchanged ${member.number}`;
        member.weight = command.weight;
        return `applied ${member.number}`;
      }
      case 'remove-member': {
        const number = command.member;
        if (!this.find(number))
          return this.used.includes(number) ? `unchanged ${number}` : 'MEMBER_NOT_FOUND';
        if (!this.members.some((member) => member.up && member.number !== number)) return 'LAST_MEMBER';
        if (this.owns(number)) return 'MEMBER_OWNS_DATA';
        this.members = this.members.filter((member) => member.number !== number);
        return `applied ${number}`;
      }
      case 'drain-start': {
        const { member: number, expectedEpoch = this.epoch } = command;
        const member = this.find(number);
        if (!member) return 'MEMBER_NOT_FOUND';
        if (member.isDraining) return `unchanged ${number}`;
        if (expectedEpoch !== this.epoch) return 'EPOCH_CHANGED';
        const left = this.receivers().filter((other) => other !== member);
        if (left.length < this.settings.replicationFactor) return 'TOO_FEW_MEMBERS';
        member.isDraining = true;
        return `applied ${number}`;
      }
      case 'drain-cancel': {
        const member = this.find(command.member);
        if (!member) return 'MEMBER_NOT_FOUND';
        if (!member.isDraining) return `unchanged ${member.number}`;
        member.isDraining = false;
        return `applied ${member.number}`;
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
      this.members = this.members.filter((member) => member !== old);
    }
    const number = Math.max(...this.used) + 1;
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
    const isKnown = incarnation === member.incarnation && announcement === member.announcement;
    if (isKnown) return `unchanged ${member.number}`;
    Object.assign(member, { incarnation, life, announcement, up: true });
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
      [replicas, facts === undefined || facts.stage === 'joint' ? [] : facts.to]
        .filter((set) => set.includes(number))
        .some((set) => {
          const quorums = subsetsOf(set).filter((subset) => subset.length * 2 > set.length);
          return !quorums.some((quorum) => quorum.every((one) => one !== number && this.isMember(one)));
        }),
    );
  isMember = (number: number) => this.find(number) !== undefined;
  mayEnter = (number: number) => this.receivers().some((member) => member.number === number);
  private receivers = () => this.members.filter(({ up, isDraining }) => up && !isDraining);
}

export type Announced = { peerAddress: string; httpAddress: string; zone: string; version: string };
export const announcementOf = ({ peerAddress, httpAddress, zone, version }: Announced) =>
  [peerAddress, httpAddress, zone, version].join(' ');
