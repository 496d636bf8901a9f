import type { Protocol, Reply } from '../../core/resp/reply.ts';
import type { Request } from '../../core/resp/request-reader.ts';
import { keyName } from '../../storage/key-name.ts';
import type { Command } from './commands/command.ts';
import type { RespContext } from './resp-context.ts';
import { errorReply } from './resp-errors.ts';
import type { Session } from './session.ts';

/** Whoever is told that a call has its answer. */
export type CallOwner = { answered(call: Call): void };

const NO_PLACES: readonly number[] = [];

/** One command of a connection, in its place in the order of the answers. */
export class Call {
  readonly context: RespContext;
  readonly session: Session;
  readonly command: Command;
  readonly args: Request;
  /** Of the answer: what the connection spoke when the command began. */
  protocol: Protocol;
  readonly startedMs: number;
  /** Where the keys that it touches are among the arguments. */
  keyPlaces: readonly number[] = NO_PLACES;
  isWrite = false;
  /** It looks at whatever keys there are, or changes what the commands behind it mean: nothing runs beside it. */
  isAlone = false;
  /** Not answered: CLIENT REPLY. */
  isSilent = false;
  closesConnection = false;
  reply: Reply | undefined;
  /** Counted in `inFlight`. */
  bytes = 0;
  readonly #owner: CallOwner;
  #keys: readonly string[] | undefined;

  constructor(
    { context, session, startedMs }: Pick<Call, 'context' | 'session' | 'startedMs'>,
    command: Command,
    args: Request,
    owner: CallOwner,
  ) {
    this.context = context;
    this.session = session;
    this.startedMs = startedMs;
    this.command = command;
    this.args = args;
    this.protocol = session.protocol;
    this.#owner = owner;
  }

  /** What it touches while it is under way. */
  get keys(): readonly string[] {
    this.#keys ??= this.keyPlaces.map((place) => keyName(this.argument(place)));
    return this.#keys;
  }

  /** Once; what comes after is dropped. */
  answer(reply: Reply): void {
    if (this.reply !== undefined) return;
    this.reply = reply;
    this.#owner.answered(this);
  }

  /** In another protocol than that of the question: HELLO changes it for its own answer already. */
  answerIn(protocol: Protocol, reply: Reply): void {
    this.protocol = protocol;
    this.answer(reply);
  }

  /** An error of the store, or of the command itself. */
  fail(error: unknown): void {
    this.answer(errorReply(error, this.context.log, this.command.spec.name));
  }

  /** `promise`, and its answer; without a further promise that anybody waits for. */
  after<T>(promise: Promise<T>, toReply: (value: T) => Reply): void {
    promise.then(
      (value) => this.#answerWith(() => toReply(value)),
      (error: unknown) => this.fail(error),
    );
  }

  argument(at: number): Uint8Array {
    const found = this.args[at];
    if (found === undefined) throw new Error(`${this.command.spec.name} has no argument ${at}`);
    return found;
  }

  #answerWith(make: () => Reply): void {
    try {
      this.answer(make());
    } catch (error) {
      this.fail(error);
    }
  }
}
