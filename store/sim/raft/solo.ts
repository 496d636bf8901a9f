import { createPrng } from '../../core/prng/prng.ts';
import { configurationOf } from '../../core/raft/configuration.ts';
import { NO_SNAPSHOT } from '../../core/raft/log.ts';
import type { Message, MessageBody } from '../../core/raft/messages.ts';
import { RAFT_DEFAULTS, type RaftOptions } from '../../core/raft/options.ts';
import { Raft } from '../../core/raft/raft.ts';
import type { ReadResult } from '../../core/raft/state.ts';
import {
  type Configuration,
  type Entry,
  type HardState,
  type MemberId,
  type PersistedState,
  type Position,
  type Snapshot,
  toIndex,
  toTerm,
} from '../../core/raft/types.ts';

export type SoloOptions = {
  readonly id?: MemberId;
  readonly voters?: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  /** The terms of the log's entries, from index 1 on; the first one holds the configuration. */
  readonly terms?: readonly number[];
  readonly hardState?: Partial<HardState>;
  readonly snapshot?: Snapshot;
  readonly entries?: readonly Entry[];
  readonly limits?: Partial<RaftOptions>;
};

/** What a member did when it was asked to work. */
export type Work = {
  readonly messages: readonly Message[];
  readonly persisted: readonly Entry[];
  readonly committed: readonly Entry[];
  readonly reads: readonly ReadResult[];
};

/** One member alone: a test plays the others, message by message. */
export class Solo {
  readonly raft: Raft;
  readonly id: MemberId;
  readonly #voters: readonly MemberId[];

  constructor(options: SoloOptions = {}) {
    this.id = options.id ?? 1;
    this.#voters = options.voters ?? [1, 2, 3];
    const limits = { ...RAFT_DEFAULTS, incarnation: 1, ...options.limits, id: this.id };
    this.raft = new Raft(limits, { random: createPrng(1), persisted: persistedState(options) });
  }

  /** Takes a message, from `from` to this member. */
  hear(from: MemberId, term: number, body: MessageBody): ReturnType<Raft['step']> {
    return this.raft.step({ ...body, from, to: this.id, term: toTerm(term) });
  }

  /** Takes a message and works; the answers. */
  answer(from: MemberId, term: number, body: MessageBody): readonly Message[] {
    this.hear(from, term, body);
    return this.work().messages;
  }

  /** Every Ready until there is none, all steps of each. */
  work(): Work {
    const work = { messages: [], persisted: [], committed: [], reads: [] } as {
      messages: Message[];
      persisted: Entry[];
      committed: Entry[];
      reads: ReadResult[];
    };
    for (let ready = this.raft.ready(); ready !== undefined; ready = this.raft.ready()) {
      work.messages.push(...ready.earlyMessages, ...ready.messages);
      work.persisted.push(...ready.entries);
      work.committed.push(...ready.committed);
      work.reads.push(...ready.reads);
      this.raft.advance();
    }
    return work;
  }

  /** Campaigns and wins with everybody's votes; its first append is sent. The term. */
  lead(): number {
    this.raft.campaign();
    this.work();
    const term = this.raft.status().term + 1;
    const others = this.#voters.filter((voter) => voter !== this.id);
    for (const voter of others) this.hear(voter, term, { type: 'pre-vote-response', isGranted: true });
    this.work();
    for (const voter of others) this.hear(voter, term, { type: 'vote-response', isGranted: true });
    this.work();
    return this.raft.status().term;
  }

  /** Leads with every voter caught up. */
  leadSettled(): number {
    const term = this.lead();
    for (const voter of this.#voters) if (voter !== this.id) this.match(voter, term);
    this.work();
    return term;
  }

  /** Member `from` says that it holds everything up to `index`. */
  match(from: MemberId, term: number, index: number = this.raft.status().last.index): void {
    this.hear(from, term, { type: 'append-response', match: toIndex(index) });
  }
}

export function position(index: number, term: number): Position {
  return { index: toIndex(index), term: toTerm(term) };
}

export function command(index: number, term: number, text = `c${index}`): Entry {
  return { type: 'command', ...position(index, term), data: new TextEncoder().encode(text) };
}

export function config(index: number, term: number, configuration: Configuration): Entry {
  return { type: 'config', ...position(index, term), configuration };
}

function persistedState(options: SoloOptions): PersistedState {
  const terms = options.terms ?? [1];
  const configuration = configurationOf(options.voters ?? [1, 2, 3], options.learners ?? []);
  const entries = terms.map((term, i) => (i === 0 ? config(1, term, configuration) : command(i + 1, term)));
  const term = toTerm(terms.at(-1) ?? 0);
  return {
    hardState: { term, vote: undefined, commit: toIndex(Math.min(1, terms.length)), ...options.hardState },
    snapshot: options.snapshot ?? NO_SNAPSHOT,
    entries: options.entries ?? entries,
    applied: toIndex(0),
  };
}
