import { needed } from '../../core/quorum/quorum-sizes.ts';
import { askedSet, holdingSets, type PartitionView, writtenMembers } from '../../core/quorum/replica-sets.ts';
import type { Failure } from '../../core/quorum/reply.ts';
import {
  hearWrite,
  learnWriteEpoch,
  restartWrite,
  resumeWrite,
  stamped,
  startWrite,
  type Write,
  type WriteLevels,
  type WriteReply,
  writeReport,
  writeVerdict,
} from '../../core/quorum/write-decision.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import { KvError } from '../../storage/errors.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { ReplicaSaid } from '../../storage/kv-store.ts';
import { encodeRecord, type StoredRecord } from '../../storage/record.ts';
import type { ReplicaOutcome } from '../types.ts';
import { type ClockSaid, clockSkewError, isFromTheFuture, judgeStamp, latestOf } from './clock-rule.ts';
import type { CoordinatorContext } from './context.ts';
import type { Deadline } from './deadlines.ts';
import { Questions } from './questions.ts';
import {
  deadlineExceeded,
  named,
  type Outcome,
  quorumNotMet,
  refusedBy,
  specificCode,
} from './quorum-errors.ts';
import { epochOf, Run, type RunTarget } from './run.ts';

export type WriteTask = RunTarget & {
  /** What is written; its version is the stamp. */
  readonly record: Omit<StoredRecord, 'version'>;
  readonly levels: WriteLevels;
  /** The stamp that an earlier try of the same request got, whose outcome is unknown. */
  readonly stampedBefore: Version | undefined;
  readonly onReplicas: ((replicas: readonly ReplicaSaid[]) => void) | undefined;
};

export type WriteEnd =
  | { readonly type: 'acknowledged'; readonly version: Version }
  /** `version` is the stamp where there is one. */
  | {
      readonly type: 'failed';
      readonly error: Error;
      readonly outcome: Outcome;
      readonly version: Version | undefined;
    };

/** Refusals of a store that a hint would only meet again. */
const NOT_HINTED: ReadonlySet<string> = new Set(['BELOW_FLOOR', 'NAMESPACE_NOT_FOUND']);

/** How long a write that has missed its quorum waits for those that are silent yet to say that they refused it too. */
export const LAST_WORD_MS = 100;

/** Writes a record: `onEnd` is called once, perhaps before this returns. */
export function runWrite(
  context: CoordinatorContext,
  view: PartitionView,
  task: WriteTask,
  onEnd: (end: WriteEnd) => void,
): void {
  new WriteRun(context, view, task, onEnd).begin();
}

/** Asks R, stamps once, stores at all, is acknowledged when W hold it durably (docs/quorum.md). */
class WriteRun extends Run {
  readonly #task: WriteTask;
  readonly #onEnd: (end: WriteEnd) => void;
  #write: Write;
  #questions: Questions;
  /** Sealed once: every replica stores the same bytes. */
  #sealed: Uint8Array | undefined;
  /** A member that answered would refuse the stamp, and it is not known yet whether a majority takes it. */
  #isClockDoubted = false;
  #isSent = false;
  #isAcknowledged = false;
  #isWaitingForBound = false;
  /** Of this attempt, as the members told them. */
  #clocks: ClockSaid[] = [];
  #askedMs = 0;
  #lastWord: Deadline | undefined;
  #isLastWordDue = false;

  constructor(
    context: CoordinatorContext,
    view: PartitionView,
    task: WriteTask,
    onEnd: (end: WriteEnd) => void,
  ) {
    super(context, task);
    this.#task = task;
    this.#onEnd = onEnd;
    const { levels, stampedBefore } = task;
    this.#write =
      stampedBefore === undefined ? startWrite(view, levels) : resumeWrite(view, levels, stampedBefore);
    this.#questions = this.#newQuestions();
    if (stampedBefore !== undefined) this.#sealed = this.#seal(stampedBefore);
  }

  begin(): void {
    this.look();
  }

  protected override get view(): PartitionView {
    return this.#write.view;
  }

  protected override learn(epoch: Epoch): void {
    this.#write = learnWriteEpoch(this.#write, epoch);
  }

  protected override step(): void {
    const verdict = writeVerdict(this.#write);
    switch (verdict.type) {
      case 'ask':
        for (const member of verdict.members) if (!this.#questions.isAsked(member)) this.#ask(member);
        return;
      case 'stamp':
        this.#stamp(verdict.above);
        return;
      case 'store':
        if (!this.#isSent) this.#storeAtAll(verdict.members);
        return;
      case 'acknowledged':
        this.#acknowledge(verdict.version, verdict.missing);
        return;
      case 'failed':
        if (this.#mayTurnOutUnwritten()) this.#waitForLastWord();
        else this.#fail(this.#failure(verdict.outcome));
        return;
      case 'restart':
        this.beginAgain(verdict.epoch);
        return;
    }
  }

  protected override restart(view: PartitionView): void {
    this.#questions.stop();
    this.#write = restartWrite(this.#write, view);
    this.#questions = this.#newQuestions();
    this.#clocks = [];
    this.#isSent = false;
  }

  /** A stamped write may be seen later, so it has missed its quorum; before the stamp nothing has happened. */
  protected override expire(): void {
    const verdict = writeVerdict(this.#write);
    if (verdict.type === 'stamp' && this.#isClockDoubted) {
      this.#fail(this.#clockSkew());
      return;
    }
    const isOpen = this.#write.version === undefined && verdict.type !== 'failed' && this.#canStillBeAsked();
    this.#fail(isOpen ? deadlineExceeded(this.context.routing, this.#report()) : this.#quorumNotMet());
  }

  protected override giveUp(): void {
    this.#fail(this.#quorumNotMet());
  }

  #newQuestions(): Questions {
    this.#askedMs = this.context.clock.monotonicMs();
    return new Questions(this.context, this.view.sets, (member) => this.#ask(member));
  }

  #ask(member: MemberId): void {
    const { attempt } = this.#write;
    const answered = this.#questions.ask(member);
    this.send(member, { type: 'ask' }, (outcome) => {
      answered(outcome.type === 'reply');
      if (!this.isEnded && !this.isTimeUp(outcome)) this.#hear(member, attempt, 'ask', outcome);
    });
  }

  /** This member last: the frames to the others leave before its own write is handed to the storage thread. */
  #storeAtAll(members: readonly MemberId[]): void {
    const { self } = this.context.routing;
    this.#isSent = true;
    for (const member of members) if (member !== self) this.#storeAt(member);
    if (members.includes(self)) this.#storeAt(self);
  }

  #storeAt(member: MemberId): void {
    const { attempt } = this.#write;
    const record = this.#sealed as Uint8Array;
    this.send(member, { type: 'store', origin: 'write', record, sourceWatermark: undefined }, (outcome) => {
      if (this.isEnded) this.#hintAfterEnd(member, attempt, outcome);
      else if (!this.isTimeUp(outcome)) this.#hear(member, attempt, 'store', outcome);
    });
  }

  #hear(member: MemberId, attempt: number, request: 'ask' | 'store', outcome: ReplicaOutcome): void {
    this.#write = hearWrite(this.#write, this.#replyOf(member, attempt, request, outcome));
    this.look();
  }

  #replyOf(member: MemberId, attempt: number, request: 'ask' | 'store', outcome: ReplicaOutcome): WriteReply {
    const asked = this.view.epoch;
    const failed = (type: Failure['type'], code: string): WriteReply['body'] => {
      return { type: 'failed', request, failure: { type, code } };
    };
    if (outcome.type === 'unreachable')
      return { member, attempt, epoch: asked, body: failed('unreachable', outcome.code) };
    const { body } = outcome.reply;
    const epoch = epochOf(outcome.reply, asked);
    switch (body.type) {
      case 'versions':
        return {
          member,
          attempt,
          epoch,
          body: this.#isUsable(member, body) ? body : failed('refused', 'CLOCK_SKEW'),
        };
      case 'held':
        return { member, attempt, epoch, body };
      case 'refused':
        return { member, attempt, epoch, body: failed('refused', body.code) };
      case 'sight':
        return { member, attempt, epoch, body: failed('unreachable', 'WRONG_ANSWER') };
    }
  }

  #isUsable(member: MemberId, answer: Parameters<typeof isFromTheFuture>[0]): boolean {
    const nowMs = this.context.clock.nowMs();
    const isFuture = !this.#isAlone() && isFromTheFuture(answer, nowMs, this.context.options.skewMsMax);
    this.#clocks.push({ member, nowMs: answer.nowMs, latestMs: isFuture ? latestOf(answer) : answer.nowMs });
    return !isFuture;
  }

  /** Where nobody else is asked, no other clock can be wronged. */
  #isAlone(): boolean {
    const set = askedSet(this.view.sets);
    return set.length === 1 && set[0] === this.context.routing.self;
  }

  #stamp(above: Version): void {
    if (this.#isWaitingForBound) return;
    if (!this.#isTimely(above)) return;
    const { versions } = this.context;
    versions.observe(above);
    const version = versions.next();
    if (version === undefined) {
      this.#waitForBound();
      return;
    }
    this.#questions.stop();
    this.#write = stamped(this.#write, version);
    this.#sealed = this.#seal(version);
    this.look();
  }

  /** Whether a stamp would be taken by the clocks of a majority; where not, the write ends, or asks the others first. */
  #isTimely(above: Version): boolean {
    if (this.#isAlone()) return true;
    const set = askedSet(this.view.sets);
    const elapsedMs = this.context.clock.monotonicMs() - this.#askedMs;
    const judgement = judgeStamp(this.context, above, this.#clocks, elapsedMs, set.length);
    if (judgement === 'accepted') return true;
    this.#isClockDoubted = true;
    for (const member of set) if (!this.#questions.isAsked(member)) this.#ask(member);
    const isAllHeard = set.every((member) => this.#write.asked.has(member));
    if (judgement === 'refused' || isAllHeard) this.#fail(this.#clockSkew());
    return false;
  }

  #clockSkew(): KvError {
    return clockSkewError(this.context, this.#clocks, this.#report().outcome);
  }

  /** Nothing is stamped until a higher bound of stamps is durable here. */
  #waitForBound(): void {
    this.#isWaitingForBound = true;
    const go = (failure: unknown): void => {
      this.#isWaitingForBound = false;
      if (this.isEnded) return;
      if (failure === undefined) this.look();
      else this.#fail(toKvError(failure));
    };
    this.context.versions.ready().then(
      () => go(undefined),
      (error: unknown) => go(error ?? new Error('the bound of stamps was not kept')),
    );
  }

  #seal(version: Version): Uint8Array {
    const { record, partition, namespaceId, key } = this.#task;
    return encodeRecord(dataKey({ partition, namespaceId, key }), { ...record, version });
  }

  #acknowledge(version: Version, missing: readonly MemberId[]): void {
    this.#isAcknowledged = true;
    this.#end();
    this.context.events.onWrite('acknowledged', this.secondsSoFar());
    this.#onEnd({ type: 'acknowledged', version });
    for (const member of missing) {
      const said = this.#write.stored.get(member);
      // Who is silent yet is hinted at the end of its request.
      if (said !== undefined) this.#hint(member, said.type === 'refused' ? said.code : undefined);
    }
  }

  #hintAfterEnd(member: MemberId, attempt: number, outcome: ReplicaOutcome): void {
    if (!this.#isAcknowledged || attempt !== this.#write.attempt) return;
    const body = outcome.type === 'reply' ? outcome.reply.body : undefined;
    if (body?.type === 'held' && compareVersions(body.version, this.#write.version as Version) >= 0) return;
    this.#hint(member, body?.type === 'refused' ? body.code : undefined);
  }

  /**
   * Only for a write that was acknowledged: one of unknown outcome was not promised to anybody, and a hint would only make
   * it more likely to appear after the client has gone on (regression D9).
   */
  #hint(owner: MemberId, refusal: string | undefined): void {
    if (refusal !== undefined && NOT_HINTED.has(refusal)) return;
    const { partition, namespaceId, key } = this.#task;
    const version = this.#write.version as Version;
    this.context.hints.keep({
      owner,
      partition,
      namespaceId,
      key,
      version,
      record: this.#sealed as Uint8Array,
    });
  }

  /** All that answered refused, and the others may do so too: then it is certain that nothing was written. */
  #mayTurnOutUnwritten(): boolean {
    const { version, stored, mayBeHeld, view } = this.#write;
    if (version === undefined || mayBeHeld || this.#isLastWordDue) return false;
    const isRefusal = stored.values().every(({ type }) => type === 'refused');
    return isRefusal && stored.size < writtenMembers(view.sets).length;
  }

  #waitForLastWord(): void {
    if (this.#lastWord !== undefined) return;
    this.#lastWord = this.context.deadlines.set(this.context.clock.monotonicMs() + LAST_WORD_MS, () => {
      this.#isLastWordDue = true;
      this.look();
    });
  }

  #fail(error: Error): void {
    const { outcome } = this.#report();
    this.#end();
    this.context.events.onWrite(outcome, this.secondsSoFar());
    this.#onEnd({ type: 'failed', error, outcome, version: this.#write.version });
  }

  #end(): void {
    this.#questions.stop();
    this.#lastWord?.cancel();
    this.end();
    this.#task.onReplicas?.(named(this.context.routing, this.#report().answers));
  }

  #failure(outcome: Outcome): Error {
    const code = this.#specificCode();
    if (code === 'CLOCK_SKEW') return this.#clockSkew();
    if (code === undefined || outcome === 'unknown') return this.#quorumNotMet();
    return refusedBy(code, this.context.routing, this.#report());
  }

  #specificCode(): ReturnType<typeof specificCode> {
    const { version, asked, stored, view, levels } = this.#write;
    const isAsking = version === undefined;
    const sets = isAsking ? [askedSet(view.sets)] : holdingSets(view.sets);
    const level = isAsking ? levels.r : levels.w;
    const failureOf = (member: MemberId): Failure | undefined => {
      const said = isAsking ? asked.get(member) : stored.get(member);
      return said?.type === 'refused' || said?.type === 'unreachable' ? said : undefined;
    };
    for (const set of sets) {
      const code = specificCode(set, needed(level, set.length), failureOf);
      if (code !== undefined) return code;
    }
    return undefined;
  }

  /** Whether enough of those that have not failed are up, as far as is known. */
  #canStillBeAsked(): boolean {
    const set = askedSet(this.view.sets);
    const isOpen = (member: MemberId): boolean => {
      const said = this.#write.asked.get(member);
      return said === undefined ? this.context.routing.isUp(member) : said.type === 'versions';
    };
    return set.filter(isOpen).length >= needed(this.#write.levels.r, set.length);
  }

  #quorumNotMet(): KvError {
    return quorumNotMet(this.context.routing, this.#report());
  }

  #report(): ReturnType<typeof writeReport> & { readonly kind: 'write'; readonly needed: number } {
    const { version, levels, view } = this.#write;
    const size = askedSet(view.sets).length;
    const count = version === undefined ? needed(levels.r, size) : needed(levels.w, size);
    return { kind: 'write', needed: count, ...writeReport(this.#write) };
  }
}

function toKvError(error: unknown): KvError {
  if (error instanceof KvError) return error;
  return new KvError('STORAGE_FAILED', 'the storage failed: no version can be given', {}, error);
}
