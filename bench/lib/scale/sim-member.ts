import type { Clockwork } from './clockwork.ts';
import type { Cores } from './cores.ts';
import type { Costs } from './costs.ts';
import type { Ask, Operation } from './operation.ts';

/** A request to a replica, or its answer. */
export type Message = {
  readonly operation: Operation;
  readonly type: Ask['type'];
  readonly isAnswer: boolean;
};

/** What a turn of a main thread finds. */
type Input =
  | { readonly type: 'client'; readonly operation: Operation; readonly answer: () => void }
  | { readonly type: 'frame'; readonly from: number; readonly messages: readonly Message[] }
  | { readonly type: 'group'; readonly stored: readonly Stored[] }
  | { readonly type: 'background'; readonly micros: number };

/** A record that waits for its fsync, and who wants to know. */
type Stored = { readonly operation: Operation; readonly from: number };

export type Counted = {
  mainMicros: number;
  storageMicros: number;
  backgroundMicros: number;
  frames: number;
  messages: number;
  groups: number;
};

export const nothingCounted = (): Counted => ({
  mainMicros: 0,
  storageMicros: 0,
  backgroundMicros: 0,
  frames: 0,
  messages: 0,
  groups: 0,
});

export type SimMemberDeps = {
  readonly clockwork: Clockwork;
  readonly costs: Costs;
  /** Those that its threads take: its own, or shared with others. */
  readonly cores: Cores;
  /** What V8's threads take of these cores as well, for each microsecond of a stretch: 0 where they have cores of their own. */
  readonly stretchShare: number;
  send(to: number, messages: readonly Message[]): void;
};

/**
 * A node as a queue: its main thread takes all that has come, works it off, and sends one frame to each member that something is for; a
 * storage thread writes all that waits as one group, with one fsync. So the sizes of frames and groups follow from the load.
 */
export class SimMember {
  readonly number: number;
  readonly counted = nothingCounted();
  readonly #deps: SimMemberDeps;
  #inputs: Input[] = [];
  #isScheduled = false;
  #out = new Map<number, Message[]>();
  readonly #answers: (() => void)[] = [];
  readonly #clients = new Map<Operation, () => void>();
  #waiting: Stored[] = [];
  #isWriting = false;

  constructor(number: number, deps: SimMemberDeps) {
    this.number = number;
    this.#deps = deps;
  }

  take(input: Input): void {
    this.#inputs.push(input);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inputs.length === 0) return;
    this.#isScheduled = true;
    this.#deps.cores.run({ begin: () => this.#beginTurn(), end: () => this.#endTurn() });
  }

  #beginTurn(): number {
    const { costs, stretchShare } = this.#deps;
    const inputs = this.#inputs;
    this.#inputs = [];
    let micros = 0;
    for (const input of inputs) micros += this.#work(input);
    for (const messages of this.#out.values()) {
      micros += costs.frameMicros / 2 + (messages.length * costs.messageMicros) / 2;
      this.counted.frames += 1;
      this.counted.messages += messages.length;
    }
    this.counted.mainMicros += micros;
    return micros * (1 + stretchShare);
  }

  #endTurn(): void {
    const out = this.#out;
    this.#out = new Map();
    for (const [to, messages] of out) this.#deps.send(to, messages);
    for (const answer of this.#answers.splice(0)) answer();
    this.#writeGroup();
    this.#isScheduled = false;
    this.#schedule();
  }

  #work(input: Input): number {
    const { costs } = this.#deps;
    switch (input.type) {
      case 'client': {
        const { kind } = input.operation;
        this.#clients.set(input.operation, input.answer);
        return costs.clientMicros[kind] + costs.coordinateMicros[kind] + this.#goOn(input.operation);
      }
      case 'frame': {
        let micros = costs.frameMicros / 2;
        for (const message of input.messages)
          micros += costs.messageMicros / 2 + this.#receive(input.from, message);
        return micros;
      }
      case 'group': {
        let micros = costs.groupMicros;
        for (const { operation, from } of input.stored) micros += this.#reply(from, operation, 'store');
        return micros;
      }
      case 'background':
        this.counted.backgroundMicros += input.micros;
        return input.micros;
    }
  }

  #receive(from: number, { operation, type, isAnswer }: Message): number {
    if (isAnswer) return this.#hear(from, operation, type);
    return this.#serve(from, operation, type);
  }

  #serve(from: number, operation: Operation, type: Ask['type']): number {
    const { costs } = this.#deps;
    const micros = costs.replicaMicros[operation.kind];
    if (type === 'ask') return micros + this.#reply(from, operation, type);
    this.#waiting.push({ operation, from });
    return micros;
  }

  #reply(to: number, operation: Operation, type: Ask['type']): number {
    if (to === this.number) return this.#hear(to, operation, type);
    this.#post(to, { operation, type, isAnswer: true });
    return 0;
  }

  #hear(from: number, operation: Operation, type: Ask['type']): number {
    if (operation.isDone) return 0;
    operation.hear(from, type);
    return this.#goOn(operation);
  }

  #goOn(operation: Operation): number {
    let micros = 0;
    const asks = operation.next();
    for (const { to, type } of asks)
      if (to !== this.number) this.#post(to, { operation, type, isAnswer: false });
    for (const { to, type } of asks) if (to === this.number) micros += this.#serve(to, operation, type);
    const answer = operation.isDone ? this.#clients.get(operation) : undefined;
    if (answer !== undefined) {
      this.#clients.delete(operation);
      this.#answers.push(answer);
    }
    return micros;
  }

  #post(to: number, message: Message): void {
    const waiting = this.#out.get(to);
    if (waiting === undefined) this.#out.set(to, [message]);
    else waiting.push(message);
  }

  /** The thread works on the group, waits for the disk, and works again to say so. */
  #writeGroup(): void {
    if (this.#isWriting || this.#waiting.length === 0) return;
    this.#isWriting = true;
    const stored = this.#waiting;
    this.#waiting = [];
    const { costs, cores, clockwork } = this.#deps;
    const micros = costs.storageGroupMicros + stored.length * costs.storageRecordMicros;
    this.counted.groups += 1;
    this.counted.storageMicros += micros;
    const work = (end: () => void): void => cores.run({ begin: () => micros / 2, end });
    const synced = (): void => {
      this.#isWriting = false;
      this.take({ type: 'group', stored });
      this.#writeGroup();
    };
    work(() => clockwork.after(costs.fsyncMicros, () => work(synced)));
  }
}
