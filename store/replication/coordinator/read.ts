import type { Level } from '../../core/quorum/quorum-sizes.ts';
import { needed } from '../../core/quorum/quorum-sizes.ts';
import {
  type Found,
  hearRead,
  learnReadEpoch,
  type Read,
  type ReadReply,
  readReport,
  readVerdict,
  restartRead,
  startRead,
} from '../../core/quorum/read-decision.ts';
import { askedSet, type PartitionView, writtenMembers } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Epoch } from '../../core/topology/types.ts';
import { compareVersions, type Version } from '../../core/version/version.ts';
import type { ReplicaReplyBody, StoreOrigin } from '../../peer/replica-messages.ts';
import { dataKey } from '../../storage/key-layout.ts';
import type { ReplicaSaid } from '../../storage/kv-store.ts';
import { decodeRecord, type StoredRecord } from '../../storage/record.ts';
import type { ReplicaOutcome } from '../types.ts';
import type { CoordinatorContext } from './context.ts';
import type { Deadline } from './deadlines.ts';
import { Questions } from './questions.ts';
import { deadlineExceeded, named, quorumNotMet, refusedBy, specificCode } from './quorum-errors.ts';
import { epochOf, Run, type RunTarget } from './run.ts';

export type ReadTask = RunTarget & {
  readonly level: Level;
  readonly onReplicas: ((replicas: readonly ReplicaSaid[]) => void) | undefined;
};

export type ReadEnd =
  /** Tombstones and expired records too; undefined where there is nothing. */
  | { readonly type: 'answered'; readonly record: StoredRecord | undefined }
  | { readonly type: 'failed'; readonly error: Error };

/** A record as a replica sent it, and what it says. */
type ReadRecord = { readonly stored: Uint8Array; readonly record: StoredRecord };

/** Reads a record: `onEnd` is called once, perhaps before this returns. */
export function runRead(
  context: CoordinatorContext,
  view: PartitionView,
  task: ReadTask,
  onEnd: (end: ReadEnd) => void,
): void {
  new ReadRun(context, view, task, onEnd).begin();
}

/**
 * The value from one and versions from others; written back until W hold it, then answered, then repaired
 * (docs/quorum.md).
 */
class ReadRun extends Run {
  readonly #task: ReadTask;
  readonly #onEnd: (end: ReadEnd) => void;
  readonly #storedKey: Uint8Array;
  #read: Read<ReadRecord>;
  #questions: Questions;
  /** Whom this attempt asked for the value. */
  #askedInFull: MemberId[] = [];
  /** Whom this attempt sent the newest version that it has found, and which one that is. */
  #writtenBack: MemberId[] = [];
  #writtenVersion: Version | undefined;
  /** When others are written to as well, since those that lack it take long. */
  #patience: Deadline | undefined;

  constructor(
    context: CoordinatorContext,
    view: PartitionView,
    task: ReadTask,
    onEnd: (end: ReadEnd) => void,
  ) {
    super(context, task);
    this.#task = task;
    this.#onEnd = onEnd;
    this.#storedKey = dataKey(task);
    this.#read = startRead(view, task.level);
    this.#questions = this.#newQuestions();
  }

  begin(): void {
    this.look();
  }

  protected override get view(): PartitionView {
    return this.#read.view;
  }

  protected override learn(epoch: Epoch): void {
    this.#read = learnReadEpoch(this.#read, epoch);
  }

  protected override step(): void {
    const verdict = readVerdict(this.#read);
    switch (verdict.type) {
      case 'ask':
        for (const member of verdict.value) this.#askInFull(member);
        for (const member of verdict.version) if (!this.#questions.isAsked(member)) this.#ask(member, false);
        return;
      case 'write-back':
        this.#writeBack(verdict.members, verdict);
        return;
      case 'answered':
        this.#answer(verdict.found, verdict.repairs);
        return;
      case 'failed':
        this.#fail(this.#failure());
        return;
      case 'restart':
        this.beginAgain(verdict.epoch);
        return;
    }
  }

  protected override restart(view: PartitionView): void {
    this.#questions.stop();
    this.#read = restartRead(this.#read, view);
    this.#questions = this.#newQuestions();
    this.#askedInFull = [];
    this.#forgetWriteBack();
  }

  protected override expire(): void {
    const { routing } = this.context;
    const report = this.#report();
    this.#fail(this.#canStillAnswer() ? deadlineExceeded(routing, report) : quorumNotMet(routing, report));
  }

  protected override giveUp(): void {
    this.#fail(quorumNotMet(this.context.routing, this.#report()));
  }

  #newQuestions(): Questions {
    return new Questions(this.context, this.view.sets, (member) => this.#askInstead(member));
  }

  /** While there is no value in hand, it is a value that a slow member is waited for. */
  #askInstead(member: MemberId): void {
    const hasValue = this.#read.sights.values().some(({ isFull }) => isFull);
    if (hasValue) this.#ask(member, false);
    else this.#askInFull(member);
  }

  #askInFull(member: MemberId): void {
    if (this.#askedInFull.includes(member)) return;
    this.#askedInFull.push(member);
    this.#ask(member, true);
  }

  #ask(member: MemberId, isFull: boolean): void {
    const { attempt } = this.#read;
    const answered = this.#questions.ask(member);
    this.send(member, { type: 'read', isFull }, (outcome) => {
      answered(outcome.type === 'reply');
      if (!this.isEnded && !this.isTimeUp(outcome)) this.#hear(member, attempt, 'ask', outcome);
    });
  }

  #writeBack(members: readonly MemberId[], found: Found<ReadRecord>): void {
    const { attempt } = this.#read;
    this.#noteWritten(found.version);
    const open = members.filter((member) => !this.#writtenBack.includes(member));
    if (open.length === 0) return;
    this.context.events.onWriteBack(open.length);
    this.#patience ??= this.#startPatience(found);
    for (const member of open) {
      this.#writtenBack.push(member);
      this.#store(member, 'write-back', found, (outcome) => {
        if (!this.isEnded && !this.isTimeUp(outcome)) this.#hear(member, attempt, 'write-back', outcome);
      });
    }
  }

  /** Who was late to say what it sees may have shown something newer: whoever took the older one lacks it like the others. */
  #noteWritten(version: Version): void {
    const last = this.#writtenVersion;
    if (last !== undefined && compareVersions(last, version) === 0) return;
    this.#forgetWriteBack();
    this.#writtenVersion = version;
  }

  #forgetWriteBack(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#writtenBack = [];
    this.#writtenVersion = undefined;
  }

  /**
   * A disk may be slow for good, and most often a replica that was not asked holds the record already: a write-back that
   * waited for the one that lacks it would make each read of a key that is being written as slow as the slowest disk.
   */
  #startPatience(found: Found<ReadRecord>): Deadline {
    const { deadlines, clock, options } = this.context;
    return deadlines.set(clock.monotonicMs() + options.hedgeMsMin, () => {
      const { sights, lost } = this.#read;
      const mayLack = (member: MemberId): boolean => {
        const seen = sights.get(member)?.version;
        return seen === undefined || compareVersions(seen, found.version) < 0;
      };
      const isOpen = (member: MemberId): boolean =>
        !this.#writtenBack.includes(member) && !lost.has(member) && mayLack(member);
      const others = writtenMembers(this.view.sets).filter(isOpen);
      if (others.length === 0) return;
      for (const member of this.#writtenBack) this.context.events.onHedge(member);
      this.#writeBack(others, found);
    });
  }

  #store(
    member: MemberId,
    origin: StoreOrigin,
    { data, sourceWatermark }: Found<ReadRecord>,
    onEnd: (outcome: ReplicaOutcome) => void,
  ): void {
    this.send(member, { type: 'store', origin, record: data.stored, sourceWatermark }, onEnd);
  }

  #hear(member: MemberId, attempt: number, request: 'ask' | 'write-back', outcome: ReplicaOutcome): void {
    const asked = this.view.epoch;
    if (outcome.type === 'unreachable') {
      const body = failed(request, 'unreachable', outcome.code);
      this.#read = hearRead(this.#read, { member, attempt, epoch: asked, body });
    } else {
      const epoch = epochOf(outcome.reply, asked);
      this.#read = hearRead(this.#read, {
        member,
        attempt,
        epoch,
        body: this.#bodyOf(request, outcome.reply.body),
      });
    }
    this.look();
  }

  #bodyOf(request: 'ask' | 'write-back', body: ReplicaReplyBody): ReadReply<ReadRecord>['body'] {
    switch (body.type) {
      case 'sight':
        return this.#sightOf(body);
      case 'held':
        return body;
      case 'refused':
        if (request === 'write-back' && body.code === 'BELOW_WATERMARK') return { type: 'below-watermark' };
        return failed(request, 'refused', body.code);
      case 'versions':
        return failed(request, 'unreachable', 'WRONG_ANSWER');
    }
  }

  /** No record is believed before it passed its checksum here: what fails is a failure of who sent it. */
  #sightOf(body: ReplicaReplyBody & { readonly type: 'sight' }): ReadReply<ReadRecord>['body'] {
    const { version, watermark, isFull, record: stored } = body;
    const sight = { type: 'sight', version, watermark, isFull } as const;
    if (!isFull || version === undefined) return { ...sight, data: undefined };
    const record = stored === undefined ? undefined : this.#decode(stored);
    const isSound = record !== undefined && compareVersions(record.version, version) === 0;
    if (stored === undefined || !isSound) return failed('ask', 'refused', 'RECORD_CORRUPT');
    return { ...sight, data: { stored, record } };
  }

  #decode(stored: Uint8Array): StoredRecord | undefined {
    try {
      return decodeRecord(this.#storedKey, stored, this.#task.key);
    } catch {
      return undefined;
    }
  }

  #answer(found: Found<ReadRecord> | undefined, repairs: readonly MemberId[]): void {
    this.#end();
    this.context.events.onRead('answered', this.secondsSoFar());
    this.#onEnd({ type: 'answered', record: found?.data.record });
    if (found !== undefined) this.#repair(found, repairs);
  }

  /** Also those whose own record is damaged: nothing else would bring it back. Their answers are not waited for. */
  #repair(found: Found<ReadRecord>, lacking: readonly MemberId[]): void {
    const isDamaged = (member: MemberId): boolean => this.#read.lost.get(member)?.code === 'RECORD_CORRUPT';
    const damaged = this.#read.lost.members().filter(isDamaged);
    const members = damaged.length === 0 ? lacking : [...lacking, ...damaged];
    if (members.length === 0) return;
    this.context.events.onReadRepair(members.length);
    for (const member of members) this.#store(member, 'repair', found, () => {});
  }

  #fail(error: Error): void {
    this.#end();
    this.context.events.onRead('failed', this.secondsSoFar());
    this.#onEnd({ type: 'failed', error });
  }

  #end(): void {
    this.#questions.stop();
    this.#patience?.cancel();
    this.end();
    this.#task.onReplicas?.(named(this.context.routing, this.#report().answers));
  }

  #failure(): Error {
    const { routing } = this.context;
    const set = askedSet(this.view.sets);
    const { lost, notWritten, level } = this.#read;
    const failureOf = (member: MemberId) => lost.get(member) ?? notWritten.get(member);
    const code = specificCode(set, needed(level, set.length), failureOf);
    return code === undefined
      ? quorumNotMet(routing, this.#report())
      : refusedBy(code, routing, this.#report());
  }

  #canStillAnswer(): boolean {
    const set = askedSet(this.view.sets);
    const { sights, lost } = this.#read;
    const isOpen = (member: MemberId): boolean =>
      sights.has(member) || (!lost.has(member) && this.context.routing.isUp(member));
    return set.filter(isOpen).length >= needed(this.#task.level, set.length);
  }

  #report() {
    const count = needed(this.#task.level, askedSet(this.view.sets).length);
    return { kind: 'read' as const, outcome: undefined, needed: count, answers: readReport(this.#read) };
  }
}

function failed(
  request: 'ask' | 'write-back',
  type: 'refused' | 'unreachable',
  code: string,
): ReadReply<never>['body'] {
  return { type: 'failed', request, failure: { type, code } };
}
