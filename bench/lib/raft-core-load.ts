import { createPrng } from '../../store/core/prng/prng.ts';
import { bootstrapState } from '../../store/core/raft/bootstrap.ts';
import { configurationOf } from '../../store/core/raft/configuration.ts';
import type { Message } from '../../store/core/raft/messages.ts';
import { RAFT_DEFAULTS } from '../../store/core/raft/options.ts';
import { Raft } from '../../store/core/raft/raft.ts';
import type { MemberId } from '../../store/core/raft/types.ts';

export type CoreRates = { readonly proposals: number; readonly messages: number };

const MEMBERS: readonly MemberId[] = [1, 2, 3];
const COMMAND = new Uint8Array(64).fill(7);
/** A log that only grows would measure the memory of the machine. */
const COMPACT_EVERY_ENTRIES = 10_000;
const LOOKS_AT_CLOCK_EVERY = 64;

/**
 * Three members of the pure core, whose disk and network are arrays: proposals that were committed by the leader and
 * messages that were stepped, a second, with `inFlight` proposals under way.
 */
export function loadRaftCore(inFlight: number, seconds: number): CoreRates {
  const group = new CoreGroup();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  for (let turn = 0; turn % LOOKS_AT_CLOCK_EVERY !== 0 || performance.now() < endMs; turn++) {
    group.fill(inFlight);
    group.turn();
  }
  const elapsed = (performance.now() - startMs) / 1000;
  return { proposals: group.committed / elapsed, messages: group.messages / elapsed };
}

class CoreGroup {
  readonly #members = new Map<MemberId, Raft>();
  readonly #leader: Raft;
  #network: Message[] = [];
  #proposed = 0;
  #compactAt = COMPACT_EVERY_ENTRIES;
  committed = 0;
  messages = 0;

  constructor() {
    const persisted = bootstrapState(configurationOf(MEMBERS));
    for (const id of MEMBERS)
      this.#members.set(
        id,
        new Raft({ ...RAFT_DEFAULTS, id, incarnation: 1 }, { random: createPrng(id), persisted }),
      );
    this.#leader = this.#members.get(1) as Raft;
    this.#leader.campaign();
    for (let i = 0; i < 20; i++) this.turn();
    if (this.#leader.status().role !== 'leader') throw new Error('the first member was not elected');
    this.committed = 0;
    this.messages = 0;
  }

  fill(inFlight: number): void {
    while (this.#proposed - this.committed < inFlight) {
      const outcome = this.#leader.propose(COMMAND);
      if (outcome.type !== 'appended') throw new Error(`a proposal was ${outcome.type}`);
      this.#proposed++;
    }
  }

  /** Every member does what it has to do, and everything that was sent arrives. */
  turn(): void {
    for (const raft of this.#members.values()) this.#drain(raft);
    const arriving = this.#network;
    this.#network = [];
    for (const message of arriving) this.#members.get(message.to)?.step(message);
    this.messages += arriving.length;
    if (this.committed >= this.#compactAt) this.#compactAll();
  }

  #drain(raft: Raft): void {
    for (let ready = raft.ready(); ready !== undefined; ready = raft.ready()) {
      this.#network.push(...ready.earlyMessages, ...ready.messages);
      if (raft === this.#leader)
        for (const entry of ready.committed) if (entry.type === 'command') this.committed++;
      raft.advance();
    }
  }

  #compactAll(): void {
    for (const raft of this.#members.values()) {
      const { applied } = raft.status();
      raft.compact(raft.describeSnapshot(applied, new Uint8Array(0)), { entriesKept: 1000 });
    }
    this.#compactAt = this.committed + COMPACT_EVERY_ENTRIES;
  }
}
