import type { MemberId } from '../raft/types.ts';
import type { Epoch } from '../topology/types.ts';
import { compareVersions, type Version } from '../version/version.ts';
import { type ByMember, nobody } from './by-member.ts';
import { type Level, needed } from './quorum-sizes.ts';
import { askedSet, holdingSets, type PartitionView, writtenMembers } from './replica-sets.ts';
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

/**
 * A write as its coordinator sees it: ask R replicas for what the stamp must be above, stamp once, store at all,
 * acknowledge when W hold it (multi-writer ABD, Lynch-Shvartsman 1997). A value: it is fed replies and asked for its
 * verdict; it knows no clock and no network. A write is stamped once in its life, through all attempts: a second stamp
 * could bring its value back after another write has replaced it.
 */
export type Write = Attempt & {
  readonly levels: WriteLevels;
  /** This attempt's answers to the version query. */
  readonly asked: ByMember<AskAnswer | Failure>;
  readonly version: Version | undefined;
  /** This attempt's answers to the store. */
  readonly stored: ByMember<StoreAnswer | Failure>;
  /** An earlier attempt may have left the version on some replica. */
  readonly mayBeHeld: boolean;
};

export type WriteLevels = { readonly r: Level; readonly w: Level };

/** What a replica knows of the key; `clock` is the last stamp its clock gave or saw. All that it holds is durable. */
export type AskAnswer = {
  readonly type: 'versions';
  readonly version: Version | undefined;
  readonly floor: Version;
  readonly watermark: Version;
  readonly clock: Version;
};

/** The replica durably holds `version` of the key: the one that was sent, or the newer one that it found. */
export type StoreAnswer = { readonly type: 'held'; readonly version: Version };

export type WriteReply = Reply<
  | AskAnswer
  | StoreAnswer
  | { readonly type: 'failed'; readonly request: 'ask' | 'store'; readonly failure: Failure }
>;

export type WriteVerdict =
  /** Ask these, beside those already asked; any other member of the set may be asked as well (hedging). */
  | { readonly type: 'ask'; readonly members: readonly MemberId[] }
  /** Stamp above `above`, then `stamped`. */
  | { readonly type: 'stamp'; readonly above: Version }
  /** Send to all of these that it was not sent to in this attempt, and wait. */
  | { readonly type: 'store'; readonly version: Version; readonly members: readonly MemberId[] }
  /** `missing` have not said that they hold it: hints are for them. */
  | { readonly type: 'acknowledged'; readonly version: Version; readonly missing: readonly MemberId[] }
  /** The quorum cannot be reached any more. */
  | ({ readonly type: 'failed' } & WriteReport)
  /** A newer epoch of the partition is known: `restartWrite` under it. */
  | { readonly type: 'restart'; readonly epoch: Epoch };

/** What can be said where W was missed. `unwritten` is certain; `unknown`: it may be read now, later, or never. */
export type WriteReport = {
  readonly outcome: 'unwritten' | 'unknown';
  readonly answers: readonly Said[];
};

export const DEFAULT_LEVELS: WriteLevels = { r: 'quorum', w: 'quorum' };

export function startWrite(view: PartitionView, levels: WriteLevels): Write {
  const begin = { view, attempt: 1, epochSeen: view.epoch, levels };
  return { ...begin, asked: nobody(), version: undefined, stored: nobody(), mayBeHeld: false };
}

/**
 * A write that was stamped `version` by a request whose outcome is unknown, tried again: it stores that version, and is
 * never stamped again.
 */
export function resumeWrite(view: PartitionView, levels: WriteLevels, version: Version): Write {
  return { ...startWrite(view, levels), version, mayBeHeld: true };
}

/** The next attempt: it counts from zero, and keeps the stamp where there is one. */
export function restartWrite(write: Write, view: PartitionView): Write {
  const next = nextAttempt(write, view);
  return { ...write, ...next, asked: nobody(), stored: nobody(), mayBeHeld: maybeHeld(write) };
}

/** The write after it was stamped. Throws where the stamp breaks a rule: that would be a lost write later. */
export function stamped(write: Write, version: Version): Write {
  const verdict = writeVerdict(write);
  if (verdict.type !== 'stamp')
    throw new Error(`A write is stamped once, after its answers; its verdict is ${verdict.type}.`);
  if (compareVersions(version, verdict.above) <= 0) {
    throw new RangeError('The stamp is not above all that the answers say: observe `above` before stamping.');
  }
  return { ...write, version };
}

/** The write after `reply`; what does not count changes nothing but the epoch that is known. */
export function hearWrite(write: Write, reply: WriteReply): Write {
  const told = withEpochSeen(write, reply.epoch);
  return counts(write, reply) || isFencedStore(write, reply)
    ? hearBody(told, reply.member, reply.body)
    : told;
}

/** The write after its coordinator learned of `epoch` by other ways than an answer. */
export function learnWriteEpoch(write: Write, epoch: Epoch): Write {
  return withEpochSeen(write, epoch);
}

export function writeVerdict(write: Write): WriteVerdict {
  if (isOutdated(write)) return { type: 'restart', epoch: write.epochSeen };
  return write.version === undefined ? askVerdict(write) : storeVerdict(write, write.version);
}

/** The report for a caller that waits no longer. */
export function writeReport(write: Write): WriteReport {
  const answers = write.version === undefined ? write.asked : write.stored;
  const members = write.version === undefined ? askedSet(write.view.sets) : writtenMembers(write.view.sets);
  return {
    outcome: maybeHeld(write) ? 'unknown' : 'unwritten',
    answers: members.map((member) => ({ member, said: describe(answers.get(member)) })),
  };
}

/** A refusal under a newer epoch proves, for this attempt, that the member did not apply it. */
function isFencedStore(write: Write, { member, attempt, epoch, body }: WriteReply): boolean {
  const isRefusal = body.type === 'failed' && body.request === 'store' && body.failure.type === 'refused';
  return (
    isRefusal &&
    attempt === write.attempt &&
    epoch > write.view.epoch &&
    writtenMembers(write.view.sets).includes(member)
  );
}

function hearBody(write: Write, member: MemberId, body: WriteReply['body']): Write {
  switch (body.type) {
    case 'versions':
      return { ...write, asked: write.asked.with(member, body) };
    case 'held':
      return {
        ...write,
        stored: write.stored.with(member, newerHeld(write.stored.get(member), body)),
      };
    case 'failed':
      return hearFailure(write, member, body.request, body.failure);
  }
}

/** What a member durably holds stays held, whatever comes later or twice. */
function newerHeld(before: StoreAnswer | Failure | undefined, now: StoreAnswer): StoreAnswer {
  return before?.type === 'held' && compareVersions(before.version, now.version) > 0 ? before : now;
}

function hearFailure(write: Write, member: MemberId, request: 'ask' | 'store', failure: Failure): Write {
  if (request === 'ask') {
    if (write.asked.get(member)?.type === 'versions') return write;
    return { ...write, asked: write.asked.with(member, failure) };
  }
  if (write.stored.get(member)?.type === 'held') return write;
  return { ...write, stored: write.stored.with(member, failure) };
}

function askVerdict(write: Write): WriteVerdict {
  const set = askedSet(write.view.sets);
  const r = needed(write.levels.r, set.length);
  let answered = 0;
  let open = 0;
  for (const member of set) {
    const answer = write.asked.get(member);
    if (answer === undefined) open += 1;
    else if (answer.type === 'versions') answered += 1;
  }
  if (answered >= r) return { type: 'stamp', above: highestSaid(write, set) };
  if (answered + open < r) return { type: 'failed', ...writeReport(write) };
  return { type: 'ask', members: firstOf(set, write.asked, r - answered) };
}

/** The first `count` of `set` of whom nothing is known yet. */
function firstOf(set: readonly MemberId[], known: ByMember<unknown>, count: number): readonly MemberId[] {
  const open = known.head === undefined ? set : set.filter((member) => !known.has(member));
  return open.length <= count ? open : open.slice(0, count);
}

const LOWEST: Version = { wallMs: 0, counter: 0, member: 0 };

/** The highest of versions, floors, watermarks and clocks: a stamp above it is newer than all that was acknowledged. */
function highestSaid(write: Write, members: readonly MemberId[]): Version {
  let highest = LOWEST;
  for (const member of members) {
    const answer = write.asked.get(member);
    if (answer?.type !== 'versions') continue;
    for (const said of [answer.version, answer.floor, answer.watermark, answer.clock]) {
      if (said !== undefined && compareVersions(said, highest) > 0) highest = said;
    }
  }
  return highest;
}

function storeVerdict(write: Write, version: Version): WriteVerdict {
  const { stored, levels, view } = write;
  let isMet = true;
  let isLost = false;
  for (const set of holdingSets(view.sets)) {
    const w = needed(levels.w, set.length);
    let held = 0;
    let lost = 0;
    for (const member of set) {
      const answer = stored.get(member);
      if (isHeld(answer, version)) held += 1;
      else if (answer !== undefined) lost += 1;
    }
    isMet &&= held >= w;
    isLost ||= set.length - lost < w;
  }
  const written = writtenMembers(view.sets);
  if (isMet) {
    const missing = written.filter((member) => !isHeld(stored.get(member), version));
    return { type: 'acknowledged', version, missing };
  }
  if (isLost) return { type: 'failed', ...writeReport(write) };
  return { type: 'store', version, members: firstOf(written, stored, written.length) };
}

function isHeld(answer: StoreAnswer | Failure | undefined, version: Version): boolean {
  return answer?.type === 'held' && compareVersions(answer.version, version) >= 0;
}

/** Every member of a stamped write may hold it, unless it said itself that it refused. */
function maybeHeld(write: Write): boolean {
  if (write.mayBeHeld) return true;
  if (write.version === undefined) return false;
  return writtenMembers(write.view.sets).some((member) => write.stored.get(member)?.type !== 'refused');
}

function describe(answer: AskAnswer | StoreAnswer | Failure | undefined): string {
  if (answer === undefined) return 'silent';
  if (answer.type === 'versions') return 'answered';
  return answer.type === 'held' ? 'held' : `${answer.type} ${answer.code}`;
}
