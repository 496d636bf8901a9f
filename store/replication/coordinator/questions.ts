import { askedSet, holdingSets, type ReplicaSets } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { CoordinatorContext } from './context.ts';
import type { Deadline } from './deadlines.ts';

type Open = { readonly member: MemberId; readonly dueMs: number };

/**
 * Whom one attempt of a request has asked, and who is slow to answer. Who takes longer than is usual for it gets a
 * substitute: another member of its set is asked as well.
 */
export class Questions {
  readonly #context: CoordinatorContext;
  readonly #sets: ReplicaSets;
  readonly #onSlow: (substitute: MemberId) => void;
  readonly #asked: MemberId[] = [];
  /** Asked and silent, without a substitute yet. */
  #open: Open[] = [];
  #timer: Deadline | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(context: CoordinatorContext, sets: ReplicaSets, onSlow: (substitute: MemberId) => void) {
    this.#context = context;
    this.#sets = sets;
    this.#onSlow = onSlow;
  }

  isAsked(member: MemberId): boolean {
    return this.#asked.includes(member);
  }

  /** Notes that `member` is asked now; returns what to call when its answer has come. */
  ask(member: MemberId): (isAnswer: boolean) => void {
    const { clock, latency } = this.#context;
    const sentMs = clock.monotonicMs();
    this.#asked.push(member);
    const open: Open = { member, dueMs: sentMs + this.#patienceMs(member) };
    if (this.#substituteFor(member) !== undefined) {
      this.#open.push(open);
      this.#arm(open.dueMs);
    }
    return (isAnswer) => {
      if (isAnswer) latency.sample(member, clock.monotonicMs() - sentMs);
      const at = this.#open.indexOf(open);
      if (at >= 0) this.#open.splice(at, 1);
      if (this.#open.length === 0) this.#disarm();
    };
  }

  /** Nobody is waited for any more. */
  stop(): void {
    this.#open = [];
    this.#disarm();
  }

  /**
   * Its recent p95, but not much longer than a substitute would take: a member that has become slow for good would
   * otherwise be waited for all the longer.
   */
  #patienceMs(member: MemberId): number {
    const { latency, options } = this.#context;
    const substitute = this.#substituteFor(member);
    const othersMs = substitute === undefined ? 0 : latency.p95Ms(substitute);
    return Math.max(options.hedgeMsMin, Math.min(latency.p95Ms(member), 2 * othersMs));
  }

  #substituteFor(member: MemberId): MemberId | undefined {
    const asked = askedSet(this.#sets);
    const set = asked.includes(member) ? asked : holdingSets(this.#sets).find((one) => one.includes(member));
    return set?.find((other) => !this.#asked.includes(other));
  }

  #arm(dueMs: number): void {
    if (dueMs >= this.#timerMs) return;
    this.#disarm();
    this.#timerMs = dueMs;
    this.#timer = this.#context.deadlines.set(dueMs, () => this.#onDue());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  #onDue(): void {
    this.#disarm();
    const nowMs = this.#context.clock.monotonicMs();
    const slow = this.#open.filter(({ dueMs }) => dueMs <= nowMs);
    this.#open = this.#open.filter(({ dueMs }) => dueMs > nowMs);
    for (const { member } of slow) {
      const substitute = this.#substituteFor(member);
      if (substitute === undefined) continue;
      this.#context.events.onHedge(member);
      this.#onSlow(substitute);
    }
    for (const { dueMs } of this.#open) this.#arm(dueMs);
  }
}
