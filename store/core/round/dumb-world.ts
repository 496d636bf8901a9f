import type { ByMember } from '../quorum/by-member.ts';
import type { Read } from '../quorum/read-decision.ts';
import type { AskAnswer, Write } from '../quorum/write-decision.ts';
import type { MemberId } from '../raft/types.ts';
import { toEpoch } from '../topology/types.ts';
import { compareVersions, type Version } from '../version/version.ts';
import type { Holding } from './judge-key.ts';
import type { Round } from './round.ts';

/**
 * One key on a few dumb replicas, with clients, rounds, exchanges, hints, repairs and collection: every step says what may
 * happen next, for an exhaustive search. A replica answers in the turn in which it is asked; what is never delivered, or
 * late, is a step that is not taken, or taken later. `rules` says which rule is broken, if one is.
 */
export type World = {
  readonly replicas: readonly Replica[];
  readonly clients: readonly Client[];
  readonly rounds: readonly RoundRun[];
  readonly parcels: readonly Parcel[];
  readonly budget: Budget;
  readonly mayBegin: boolean;
  readonly history: readonly Happened[];
};

export type Replica = {
  readonly durable: Version | undefined;
  /** Accepted, and lost in a crash. */
  readonly unsynced: Version | undefined;
  readonly floor: Version;
  readonly watermark: Version;
};

export type Client =
  | {
      readonly type: 'put' | 'delete';
      readonly write: Write;
      readonly sent: readonly string[];
      readonly state: State;
    }
  | {
      readonly type: 'get';
      readonly read: Read<Version>;
      readonly sent: readonly string[];
      readonly state: State;
    };
export type State = 'idle' | 'running' | 'ended';

export type RoundRun = { readonly round: Round; readonly seen: ReadonlyMap<MemberId, Holding> };

/** A record on its way to a replica, as an exchange or a read repair sends it. */
export type Parcel = {
  readonly origin: 'exchange' | 'repair';
  readonly version: Version;
  readonly sourceWatermark: Version;
  readonly to: number;
};

/** How often what the network or the disk may do is done. */
export type Budget = {
  readonly losses: number;
  readonly exchanges: number;
  readonly hints: number;
  readonly unsynced: number;
  readonly crashes: number;
};

export type Happened = {
  readonly client: number;
  readonly event: 'began' | 'ended';
  readonly value?: string;
};

export type Rules = {
  readonly kinds: readonly ('put' | 'delete' | 'get')[];
  readonly broken?:
    | 'watermark without floor'
    | 'floor confirmed before what it covers is durable'
    | 'collection above the watermark'
    | 'newest below the floor, or newer'
    | 'refused write-back counts as held'
    | 'hint accepted below the floor'
    | 'nothing collected is ignored'
    | 'parcels accepted below the watermark'
    | undefined;
  /** A comparison sees what is accepted, not only what is durable. */
  readonly seesUnsynced?: boolean;
};

export const NO_VERSION: Version = { wallMs: 0, counter: 0, member: 0 };
export const EPOCH = toEpoch(1);
export const ATTEMPTS_MAX = 3;
/** What was written before the beginning; else the member number of a stamp is that of its client, from 1. */
export const PUT_BEFORE: Version = { wallMs: 1, counter: 0, member: 0 };
export const DELETED_BEFORE: Version = { wallMs: 2, counter: 0, member: 9 };
/** Not on any replica at the beginning; a coordinator keeps hints for it. */
export const HINTED: Version = { wallMs: 2, counter: 0, member: 8 };
export const isTombstone = ({ kinds }: Rules, { member }: Version): boolean =>
  member === DELETED_BEFORE.member || kinds[member - 1] === 'delete';
export const textOf = (rules: Rules, version: Version | undefined): string =>
  version === undefined || isTombstone(rules, version) ? '' : `${version.wallMs}-${version.member}`;

export const above = (a: Version, b: Version | undefined) => b === undefined || compareVersions(a, b) > 0;
export const higher = (a: Version, b: Version) => (above(a, b) ? a : b);
export const holds = (replica: Replica, version: Version) => !above(version, replica.durable);

export const withReplica = (world: World, index: number, replica: Replica): World => {
  return { ...world, replicas: world.replicas.with(index, replica), mayBegin: false };
};
export const withRound = (world: World, index: number, run: RoundRun): World => {
  return { ...world, rounds: world.rounds.with(index, run), mayBegin: false };
};

export function carry(world: World, rules: Rules, source: Replica, to: number): World {
  if (source.durable === undefined) return world;
  const { durable: version, watermark: sourceWatermark } = source;
  return deliver(world, rules, { origin: 'exchange', version, sourceWatermark, to });
}

/** Read repair is accepted above the watermark; transfer data also where the source's watermark was as high. */
export function deliver(world: World, rules: Rules, { origin, version, sourceWatermark, to }: Parcel): World {
  const before = world.replicas[to] as Replica;
  const isTrusted = origin === 'exchange' && !above(before.watermark, sourceWatermark);
  const isBroken = rules.broken === 'parcels accepted below the watermark';
  if (holds(before, version) || !(above(version, before.watermark) || isTrusted || isBroken)) return world;
  return withReplica(world, to, { ...before, durable: version });
}

/** Among what was sent: a watermark has refused a write-back of this attempt. */
export const refusalKey = ({ attempt }: Read<Version>): string => `refused ${attempt}`;

/** Equal for worlds with the same future and the same past to a checker. */
export function keyOf(world: World): string {
  const { replicas, clients, rounds, parcels, budget, history, mayBegin } = world;
  const past = history.map(({ client, event, value }) => (event === 'began' ? client : `${client}=${value}`));
  return [
    ...replicas.map(({ durable, unsynced, floor, watermark }) =>
      [code(durable), code(unsynced), code(floor), code(watermark)].join(','),
    ),
    ...clients.map(keyOfClient),
    ...rounds.map(({ round, seen }) => [
      [...round.confirmed].sort().join(''),
      round.isSettled,
      [...round.told].sort().join(''),
      byMember(seen, ({ version, watermark }) => `${code(version)}~${code(watermark)}`),
    ]),
    parcels.map((one) => `${code(one.version)}~${code(one.sourceWatermark)}>${one.to}${one.origin}`).sort(),
    Object.values(budget),
    mayBegin,
    past,
  ].join(' ');
}

function keyOfClient(client: Client): string {
  if (client.state === 'idle') return '-';
  if (client.type !== 'get') {
    const { version, asked, stored: answers } = client.write;
    if (client.state === 'ended') return `.${code(version)}`;
    if (version !== undefined) return `${code(version)}/${byMember(answers, ({ type }) => type)}`;
    return byMember(asked, (said) => (said.type === 'versions' ? askKey(said) : ''));
  }
  if (client.state === 'ended') return '.';
  const { sights, held, lost, notWritten, attempt, isSpanningRound } = client.read;
  const isRefused = client.sent.includes(refusalKey(client.read));
  const seen = byMember(
    sights,
    ({ version, watermark, isFull }) => `${code(version)}~${code(watermark)}${isFull}`,
  );
  const others = [byMember(held, code), byMember(lost, () => ''), byMember(notWritten, () => '')];
  return [attempt, isSpanningRound, isRefused, seen, ...others].join('/');
}

const askKey = ({ version, floor, watermark }: AskAnswer) =>
  `${code(version)}~${code(floor)}~${code(watermark)}`;

const code = (version: Version | undefined): string =>
  version === undefined ? '' : `${version.wallMs}.${version.member}`;

function byMember<Value>(map: Pick<ByMember<Value>, 'has' | 'get'>, text: (value: Value) => string): string {
  return [1, 2, 3].map((member) => (map.has(member) ? text(map.get(member) as Value) : '-')).join();
}
