import { hearRead, type Read, readVerdict, startRead } from '../../../store/core/quorum/read-decision.ts';
import {
  DEFAULT_LEVELS,
  hearWrite,
  stamped,
  startWrite,
  type Write,
  writeVerdict,
} from '../../../store/core/quorum/write-decision.ts';
import { toEpoch } from '../../../store/core/topology/types.ts';
import type { Version } from '../../../store/core/version/version.ts';
import type { Kind } from '../budget/resp-load.ts';

/** What a coordinator wants of a replica. */
export type Ask = { readonly to: number; readonly type: 'ask' | 'store' };

const EPOCH = toEpoch(1);
/** All replicas are equal: what is measured is a cluster that has nothing to repair. */
const HELD: Version = { wallMs: 1, counter: 0, member: 1 };
const VERSIONS = { type: 'versions', version: HELD, floor: HELD, watermark: HELD, clock: HELD } as const;
const RECORD = {};

/** A put or a get as its coordinator sees it, decided by the store's own rules (store/core/quorum). */
export class Operation {
  readonly kind: Kind;
  isDone = false;
  #write: Write | undefined;
  #read: Read<object> | undefined;
  readonly #asked = new Set<number>();
  readonly #stored = new Set<number>();

  /** `replicas` in the order in which the coordinator prefers them. */
  constructor(kind: Kind, replicas: readonly number[]) {
    this.kind = kind;
    const view = { epoch: EPOCH, sets: { type: 'still' as const, set: replicas } };
    if (kind === 'puts') this.#write = startWrite(view, DEFAULT_LEVELS);
    else this.#read = startRead(view, 'quorum');
  }

  /** Whom to ask now, beside those that were. */
  next(): readonly Ask[] {
    return this.#write === undefined
      ? this.#nextOfRead(this.#read as Read<object>)
      : this.#nextOfWrite(this.#write);
  }

  /** `member` has answered. */
  hear(member: number, type: Ask['type']): void {
    const reply = { member, epoch: EPOCH, attempt: 1 };
    if (this.#write !== undefined) {
      const body =
        type === 'ask' ? VERSIONS : { type: 'held' as const, version: this.#write.version ?? HELD };
      this.#write = hearWrite(this.#write, { ...reply, body });
      return;
    }
    const sight = { version: HELD, watermark: HELD, isFull: true, data: RECORD };
    this.#read = hearRead(this.#read as Read<object>, { ...reply, body: { type: 'sight', ...sight } });
  }

  #nextOfWrite(write: Write): readonly Ask[] {
    const verdict = writeVerdict(write);
    switch (verdict.type) {
      case 'ask':
        return this.#fresh(verdict.members, this.#asked, 'ask');
      case 'stamp':
        this.#write = stamped(write, { ...verdict.above, counter: verdict.above.counter + 1 });
        return this.next();
      case 'store':
        return this.#fresh(verdict.members, this.#stored, 'store');
      case 'acknowledged':
        this.isDone = true;
        return [];
      case 'failed':
      case 'restart':
        throw new Error(`a write of the simulation came to ${verdict.type}`);
    }
  }

  #nextOfRead(read: Read<object>): readonly Ask[] {
    const verdict = readVerdict(read);
    switch (verdict.type) {
      case 'ask':
        return this.#fresh([...verdict.value, ...verdict.version], this.#asked, 'ask');
      case 'answered':
        this.isDone = true;
        return [];
      case 'write-back':
      case 'failed':
      case 'restart':
        throw new Error(`a read of the simulation came to ${verdict.type}`);
    }
  }

  #fresh(members: readonly number[], known: Set<number>, type: Ask['type']): readonly Ask[] {
    const fresh = members.filter((member) => !known.has(member));
    for (const member of fresh) known.add(member);
    return fresh.map((to) => ({ to, type }));
  }
}
