import type { Message } from '../../core/raft/messages.ts';
import { RAFT_DEFAULTS, type RaftOptions } from '../../core/raft/options.ts';
import { Raft } from '../../core/raft/raft.ts';
import type { Ready } from '../../core/raft/ready.ts';
import type { Random } from '../../core/raft/state.ts';
import type {
  Entry,
  HardState,
  LogIndex,
  MemberId,
  PersistedState,
  Snapshot,
} from '../../core/raft/types.ts';
import { toIndex } from '../../core/raft/types.ts';
import { RaftViolation } from './violation.ts';

/** A disk that holds what was persisted, and nothing else, across crashes. */
export type Disk = { hardState: HardState; snapshot: Snapshot; entries: readonly Entry[] };

/** A state machine of which two are equal when they applied the same commands in the same order. */
export type Machine = { readonly index: LogIndex; readonly digest: number };

export type HostDeps = {
  readonly random: Random;
  readonly disk: PersistedState;
  /** Called with each entry as it is applied. */
  readonly onApply?: (host: Host, entry: Entry) => void;
};

/**
 * One Raft member with a disk and a state machine, run step by step, so that a test can stop it or crash it
 * between any two steps of a Ready.
 */
export class Host {
  readonly id: MemberId;
  readonly #options: Omit<RaftOptions, 'incarnation'>;
  readonly #deps: HostDeps;
  readonly disk: Disk;
  #incarnation = 0;
  #raft: Raft | undefined;
  #ready: Ready | undefined;
  #isPersisted = false;
  #machine: Machine = { index: toIndex(0), digest: 0 };

  constructor(id: MemberId, options: Partial<RaftOptions>, deps: HostDeps) {
    this.id = id;
    this.#options = { ...RAFT_DEFAULTS, ...options, id };
    this.#deps = deps;
    const { hardState, snapshot, entries } = deps.disk;
    this.disk = { hardState, snapshot, entries };
    this.start();
  }

  get isUp(): boolean {
    return this.#raft !== undefined;
  }

  get raft(): Raft {
    if (this.#raft === undefined) throw new Error(`host ${this.id} is down`);
    return this.#raft;
  }

  get machine(): Machine {
    return this.#machine;
  }

  /** Whether a Ready is being worked on. */
  get isBusy(): boolean {
    return this.#ready !== undefined;
  }

  /** Whether the Ready that is being worked on has reached the disk. */
  get isPersisted(): boolean {
    return this.#isPersisted;
  }

  /** The Ready that is being worked on. */
  get ready(): Ready {
    if (this.#ready === undefined) throw new Error(`host ${this.id} works on no Ready`);
    return this.#ready;
  }

  start(): void {
    this.#incarnation++;
    this.#machine = decodeMachine(this.disk.snapshot);
    const persisted = { ...this.disk, applied: this.disk.snapshot.index };
    const options = { ...this.#options, incarnation: this.#incarnation };
    this.#raft = new Raft(options, { random: this.#deps.random, persisted });
  }

  /** Loses everything that is not on the disk. */
  crash(): void {
    this.#raft = undefined;
    this.#ready = undefined;
  }

  /** Takes the next Ready. Its early messages may be sent at once. */
  take(): Ready | undefined {
    this.#ready = this.raft.ready();
    this.#isPersisted = false;
    return this.#ready;
  }

  /** Writes the Ready's state to the disk, all at once. */
  persist(): void {
    const { snapshot, entries, hardState } = this.ready;
    const { disk } = this;
    if (snapshot !== undefined) {
      disk.snapshot = snapshot;
      disk.entries = [];
    }
    const first = entries[0];
    if (first !== undefined)
      disk.entries = [...disk.entries.filter((one) => one.index < first.index), ...entries];
    if (hardState !== undefined) disk.hardState = hardState;
    this.#isPersisted = true;
  }

  /** The rest of the Ready: its messages, once persisted; applies and advances. */
  finish(): readonly Message[] {
    const { messages, snapshot, committed } = this.ready;
    if (!this.#isPersisted) throw new Error('finish() before persist()');
    if (snapshot !== undefined) this.#machine = decodeMachine(snapshot);
    for (const entry of committed) this.#apply(entry);
    this.#ready = undefined;
    this.raft.advance();
    return messages;
  }

  /** Takes a snapshot of the machine, durable at once, and drops the log below it. */
  compact(entriesKept: number): void {
    const { index } = this.#machine;
    if (index <= this.disk.snapshot.index || this.raft.status().snapshot >= index) return;
    const snapshot = this.raft.describeSnapshot(index, encodeMachine(this.#machine));
    this.disk.snapshot = snapshot;
    this.raft.compact(snapshot, { entriesKept });
    const { first } = this.raft.status();
    // The entry before the first one held still lends its position after a restart.
    this.disk.entries = this.disk.entries.filter((one) => one.index >= first - 1);
  }

  #apply(entry: Entry): void {
    if (entry.index !== this.#machine.index + 1) {
      throw new RaftViolation(`host ${this.id} applies ${entry.index} after ${this.#machine.index}`);
    }
    this.#machine = { index: entry.index, digest: digestEntry(this.#machine.digest, entry) };
    this.#deps.onApply?.(this, entry);
  }
}

/** Folds an entry into a digest (FNV-1a, 32 bits). */
export function digestEntry(digest: number, entry: Entry): number {
  const text = entry.type === 'config' ? JSON.stringify(entry.configuration) : entry.type;
  const bytes = entry.type === 'command' ? entry.data : new TextEncoder().encode(text);
  let hash = (digest ^ 0x811c9dc5 ^ entry.term) >>> 0;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** Twelve bytes, so that even small chunks make several of it. */
function encodeMachine({ index, digest }: Machine): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setFloat64(0, index);
  view.setUint32(8, digest);
  return new Uint8Array(view.buffer);
}

function decodeMachine({ data }: Snapshot): Machine {
  if (data.length === 0) return { index: toIndex(0), digest: 0 };
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return { index: toIndex(view.getFloat64(0)), digest: view.getUint32(8) };
}
