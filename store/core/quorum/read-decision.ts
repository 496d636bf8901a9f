import type { MemberId } from '../raft/types.ts';
import type { Epoch } from '../topology/types.ts';
import { compareVersions, type Version } from '../version/version.ts';
import { type ByMember, nobody } from './by-member.ts';
import { type Level, needed } from './quorum-sizes.ts';
import { askedSet, holdingSets, isComplete, type PartitionView, writtenMembers } from './replica-sets.ts';
import {
  type Attempt,
  counts,
  type Failure,
  isOutdated,
  nextAttempt,
  type Reply,
  type Said,
  withEpochSeen,
} from './reply.ts';
import { laterSight, type Sight } from './sight.ts';

/**
 * A read as its coordinator sees it: R replicas say what they see, the newest wins, and before it is answered W replicas
 * hold it, so that no later read misses it (the second phase of ABD, Attiya-Bar-Noy-Dolev 1995). A value: it is fed
 * replies and asked for its verdict. `Data` is the record, also a tombstone's; what it means is the caller's.
 */
export type Read<Data> = Attempt & {
  readonly level: Level;
  readonly sights: ByMember<Sight<Data>>;
  /** Members that could not be asked. */
  readonly lost: ByMember<Failure>;
  /** What members said they hold after a write-back. */
  readonly held: ByMember<Version>;
  readonly notWritten: ByMember<Failure>;
  /** A watermark refused a write-back: a round passed while this attempt read. */
  readonly isSpanningRound: boolean;
};

export type ReadReply<Data> = Reply<
  | ({ readonly type: 'sight' } & Sight<Data>)
  /** The replica durably holds `version`: the one that was written back, or the newer one that it found. */
  | { readonly type: 'held'; readonly version: Version }
  /** A write-back at or below the watermark of a replica that does not hold it. */
  | { readonly type: 'below-watermark' }
  | { readonly type: 'failed'; readonly request: 'ask' | 'write-back'; readonly failure: Failure }
>;

export type ReadVerdict<Data> =
  /** The full value from some, versions from others, beside those already asked; others may be asked too (hedging). */
  | { readonly type: 'ask'; readonly value: readonly MemberId[]; readonly version: readonly MemberId[] }
  | ({ readonly type: 'write-back'; readonly members: readonly MemberId[] } & Found<Data>)
  /** `found` is undefined where there is nothing. `repairs` lack what was found. */
  | {
      readonly type: 'answered';
      readonly found: Found<Data> | undefined;
      readonly repairs: readonly MemberId[];
    }
  | { readonly type: 'failed'; readonly answers: readonly Said[] }
  /** `restartRead`: under `epoch`, or under the same one where a watermark moved. */
  | { readonly type: 'restart'; readonly epoch: Epoch };

/** A record, and the watermark of its source as it read it: a member that enters T accepts by it (docs/quorum.md). */
export type Found<Data> = {
  readonly version: Version;
  readonly data: Data;
  readonly sourceWatermark: Version;
};

export function startRead<Data>(view: PartitionView, level: Level): Read<Data> {
  return fresh({ view, attempt: 1, epochSeen: view.epoch }, level);
}

/** The next attempt: it reads and counts from zero. */
export function restartRead<Data>(read: Read<Data>, view: PartitionView): Read<Data> {
  return fresh(nextAttempt(read, view), read.level);
}

/** The read after `reply`; what does not count changes nothing but the epoch that is known. */
export function hearRead<Data>(read: Read<Data>, reply: ReadReply<Data>): Read<Data> {
  const told = withEpochSeen(read, reply.epoch);
  return counts(read, reply) ? hearBody(told, reply.member, reply.body) : told;
}

/** The read after its coordinator learned of `epoch` by other ways than an answer. */
export function learnReadEpoch<Data>(read: Read<Data>, epoch: Epoch): Read<Data> {
  return withEpochSeen(read, epoch);
}

export function readVerdict<Data>(read: Read<Data>): ReadVerdict<Data> {
  if (isOutdated(read) || read.isSpanningRound) return { type: 'restart', epoch: read.epochSeen };
  const asked = askedSet(read.view.sets);
  if (heardOf(read, asked) < needed(read.level, asked.length)) return askMore(read);
  const newest = newestSeen(read, asked);
  if (newest === undefined || isBeaten(read, newest))
    return { type: 'answered', found: undefined, repairs: [] };
  const found = foundOf(read, newest);
  if (found === undefined) return { type: 'ask', value: withoutValue(read, asked), version: NOBODY };
  return confirm(read, found);
}

const NOBODY: readonly MemberId[] = [];

/** How many of `set` were heard. */
function heardOf<Data>(read: Read<Data>, set: readonly MemberId[]): number {
  let heard = 0;
  for (const member of set) if (read.sights.has(member)) heard += 1;
  return heard;
}

/** The highest version that one of `set` has. */
function newestSeen<Data>(read: Read<Data>, set: readonly MemberId[]): Version | undefined {
  let newest: Version | undefined;
  for (const member of set) {
    const version = read.sights.get(member)?.version;
    if (version === undefined) continue;
    if (newest === undefined || compareVersions(version, newest) > 0) newest = version;
  }
  return newest;
}

/** Who of `set` was heard without a value. */
function withoutValue<Data>(read: Read<Data>, set: readonly MemberId[]): readonly MemberId[] {
  return set.filter((member) => read.sights.has(member) && !isFull(read, member));
}

/** What each member said, for a caller that waits no longer. */
export function readReport<Data>(read: Read<Data>): readonly Said[] {
  return writtenMembers(read.view.sets).map((member) => ({ member, said: describe(read, member) }));
}

function fresh<Data>(begin: Attempt, level: Level): Read<Data> {
  const nothing = {
    sights: nobody<Sight<Data>>(),
    lost: nobody<Failure>(),
    held: nobody<Version>(),
    notWritten: nobody<Failure>(),
  };
  return { ...begin, level, ...nothing, isSpanningRound: false };
}

function hearBody<Data>(read: Read<Data>, member: MemberId, body: ReadReply<Data>['body']): Read<Data> {
  switch (body.type) {
    case 'sight': {
      const { version, watermark, isFull, data } = body;
      const sight = laterSight(read.sights.get(member), { version, watermark, isFull, data });
      return { ...read, lost: read.lost.without(member), sights: read.sights.with(member, sight) };
    }
    case 'held':
      return { ...read, held: read.held.with(member, higher(read.held.get(member), body.version)) };
    case 'below-watermark':
      return { ...read, isSpanningRound: true };
    case 'failed':
      return body.request === 'ask'
        ? loseMember(read, member, body.failure)
        : { ...read, notWritten: read.notWritten.with(member, body.failure) };
  }
}

/**
 * Who fails while it is asked is as if never heard, and another takes its place: a version whose value can't be had
 * either is on W replicas, then the others know it, or was never acknowledged.
 */
function loseMember<Data>(read: Read<Data>, member: MemberId, failure: Failure): Read<Data> {
  if (isFull(read, member)) return read;
  return { ...read, sights: read.sights.without(member), lost: read.lost.with(member, failure) };
}

/** R of the asked set, and where another set must hold the answer too, the versions of W of that one at the same time. */
function askMore<Data>(read: Read<Data>): ReadVerdict<Data> {
  const asked = askedSet(read.view.sets);
  const first = wanted(read, asked, needed(read.level, asked.length));
  if (first === undefined) return { type: 'failed', answers: readReport(read) };
  const others = otherHolders(read);
  if (others === undefined) return { type: 'failed', answers: readReport(read) };
  const hasFull = asked.some((member) => isFull(read, member));
  const value = hasFull ? NOBODY : first.slice(0, 1);
  const rest = hasFull ? first : first.slice(1);
  if (others.length === 0) return { type: 'ask', value, version: rest };
  return { type: 'ask', value, version: [...rest, ...others.filter((member) => !first.includes(member))] };
}

/** Members of the holding sets of whom it is not known yet what they hold; undefined where too few are left. */
function otherHolders<Data>(read: Read<Data>): readonly MemberId[] | undefined {
  if (read.view.sets.type === 'still') return NOBODY;
  const asked = askedSet(read.view.sets);
  const members = new Set<MemberId>();
  for (const set of holdingSets(read.view.sets)) {
    if (set === asked) continue;
    const more = wanted(read, set, holdersNeeded(read, set));
    if (more === undefined) return undefined;
    for (const member of more) members.add(member);
  }
  return [...members];
}

/** Whom to ask so that `count` of `set` are heard, in the order of the set; undefined where too few are left. */
function wanted<Data>(
  read: Read<Data>,
  set: readonly MemberId[],
  count: number,
): readonly MemberId[] | undefined {
  const lacking = count - heardOf(read, set);
  if (lacking <= 0) return NOBODY;
  const open = isUntouched(read)
    ? set
    : set.filter((member) => !read.sights.has(member) && !read.lost.has(member));
  return open.length < lacking ? undefined : open.slice(0, lacking);
}

function isUntouched<Data>({ sights, lost }: Read<Data>): boolean {
  return sights.head === undefined && lost.head === undefined;
}

/** "Nothing up to m" beats any version at or below m: it was deleted, and the deletion was collected. */
function isBeaten<Data>(read: Read<Data>, version: Version): boolean {
  for (let entry = read.sights.head; entry !== undefined; entry = entry.rest) {
    const { member, value: sight } = entry;
    if (sight.version !== undefined || !isComplete(read.view.sets, member)) continue;
    if (compareVersions(version, sight.watermark) <= 0) return true;
  }
  return false;
}

function foundOf<Data>(read: Read<Data>, version: Version): Found<Data> | undefined {
  for (let entry = read.sights.head; entry !== undefined; entry = entry.rest) {
    const sight = entry.value;
    if (sight.data === undefined || sight.version === undefined) continue;
    if (compareVersions(sight.version, version) !== 0) continue;
    return { version, data: sight.data, sourceWatermark: sight.watermark };
  }
  return undefined;
}

/** Answers once W of each holding set hold the version or a newer one; until then it is written back. */
function confirm<Data>(read: Read<Data>, found: Found<Data>): ReadVerdict<Data> {
  const sets = holdingSets(read.view.sets);
  const lacking = (set: readonly MemberId[]) => holdersLacking(read, set, found.version);
  if (sets.every((set) => lacking(set) <= 0))
    return { type: 'answered', found, repairs: repairsOf(read, found) };
  const others = otherHolders(read);
  if (others === undefined) return { type: 'failed', answers: readReport(read) };
  if (others.length > 0) return { type: 'ask', value: [], version: others };
  const members = new Set<MemberId>();
  for (const set of sets) {
    const targets = writable(read, set, found.version);
    if (targets.length < lacking(set)) return { type: 'failed', answers: readReport(read) };
    for (const member of targets.slice(0, Math.max(0, lacking(set)))) members.add(member);
  }
  return { type: 'write-back', members: [...members], ...found };
}

function holdersLacking<Data>(read: Read<Data>, set: readonly MemberId[], version: Version): number {
  let lacking = holdersNeeded(read, set);
  for (const member of set) if (holds(read, member, version)) lacking -= 1;
  return lacking;
}

/** Who may still take a write-back: first those that are known to lack it. */
function writable<Data>(read: Read<Data>, set: readonly MemberId[], version: Version): readonly MemberId[] {
  const open = set.filter(
    (member) => !holds(read, member, version) && !read.lost.has(member) && !read.notWritten.has(member),
  );
  const isHeard = (member: MemberId) => read.sights.has(member);
  return [...open.filter(isHeard), ...open.filter((member) => !isHeard(member))];
}

/** A read at level 1 promises nothing of later reads: one holder is enough. `all` asks all, and W hold what it answers. */
function holdersNeeded<Data>(read: Read<Data>, set: readonly MemberId[]): number {
  return needed(read.level === 1 ? 1 : 'quorum', set.length);
}

function holds<Data>(read: Read<Data>, member: MemberId, version: Version): boolean {
  const seen = read.sights.get(member)?.version;
  if (seen !== undefined && compareVersions(seen, version) >= 0) return true;
  const held = read.held.get(member);
  return held !== undefined && compareVersions(held, version) >= 0;
}

/** Who is known to lack what was found, and would accept it. */
function repairsOf<Data>(read: Read<Data>, { version }: Found<Data>): readonly MemberId[] {
  const repairs: MemberId[] = [];
  for (let entry = read.sights.head; entry !== undefined; entry = entry.rest) {
    const accepts = compareVersions(version, entry.value.watermark) > 0;
    if (accepts && !holds(read, entry.member, version)) repairs.push(entry.member);
  }
  return repairs;
}

function isFull<Data>(read: Read<Data>, member: MemberId): boolean {
  return read.sights.get(member)?.isFull === true;
}

function describe<Data>(read: Read<Data>, member: MemberId): string {
  const failure = read.lost.get(member) ?? read.notWritten.get(member);
  if (failure !== undefined) return `${failure.type} ${failure.code}`;
  return read.sights.has(member) ? 'answered' : 'silent';
}

function higher(before: Version | undefined, now: Version): Version {
  return before !== undefined && compareVersions(before, now) > 0 ? before : now;
}
