import type { Version } from '../../core/version/version.ts';
import type { BulkRecord } from '../../peer/bulk-page.ts';
import type { PartitionAt } from '../../peer/data-messages.ts';
import type { ReplicaRefusalCode, ReplicaRequest } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import { KvError } from '../../storage/errors.ts';
import type { SpaceGuard } from '../../storage/space-guard.ts';
import type { Gate } from './gate.ts';
import type { PartitionState } from './partition-state.ts';
import type { Writer } from './writer.ts';

export type PageAdmissionOptions = { readonly self: number; readonly skewMsMax: number };

export type PageAdmissionDeps = {
  readonly clock: Clock;
  readonly space: Pick<SpaceGuard, 'admit' | 'refresh'>;
  readonly gate: Gate;
  readonly writer: Writer;
};

/** What a page of records came to. */
export type PageStored =
  /** All that belongs here is durable; `damaged`: the records of the page that failed their checksum. */
  { readonly type: 'stored'; readonly damaged: readonly BulkRecord[] } | PageRefused;

/** Nothing of it was written. */
export type PageRefused = {
  readonly type: 'refused';
  readonly code: ReplicaRefusalCode;
  readonly message: string;
};

/** How often a page waits for a new look at the free space. */
const LOOKS_MAX = 3;
const NO_KEY = new Uint8Array();

/** Whether a page of the bulk may be written, asked in the turn in which it is issued. */
export class PageAdmission {
  readonly #options: PageAdmissionOptions;
  readonly #deps: PageAdmissionDeps;

  constructor(options: PageAdmissionOptions, deps: PageAdmissionDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Those of `namespaceIds` that are served: a dropped one has nothing to store; one that is not known yet refuses the page. */
  servedOf(
    namespaceIds: ReadonlySet<number>,
    { partition: number, epoch }: PartitionAt,
    partition: PartitionState,
  ): ReadonlySet<number> | PageRefused {
    const served = new Set<number>();
    const { gate } = this.#deps;
    for (const namespaceId of namespaceIds) {
      const request: ReplicaRequest = {
        ...{ to: this.#options.self, partition: number, epoch, namespaceId, key: NO_KEY },
        body: { type: 'ask' },
      };
      if (gate.enter(request) === partition) served.add(namespaceId);
      else if (gate.isDropped(namespaceId)) continue;
      else return refused('EPOCH_UNKNOWN', 'the epoch or the namespace is not served here now');
    }
    return served;
  }

  /** Why a record of that version is not taken. */
  whySkewed({ wallMs }: Version): PageRefused | undefined {
    const aheadMs = wallMs - this.#deps.clock.nowMs();
    if (aheadMs <= this.#options.skewMsMax) return undefined;
    return refused('CLOCK_SKEW', `a version is ${aheadMs} ms ahead of the clock here`);
  }

  /** `look-again`: only a new look at the disk can tell. */
  admit(bytes: number): 'admitted' | 'look-again' | PageRefused {
    const { writer, space } = this.#deps;
    if (!writer.hasRoomFor(bytes))
      return refused('OVERLOADED', `${writer.backlogBytes} bytes of writes wait for the disk`);
    try {
      return space.admit(bytes, 'put') ? 'admitted' : 'look-again';
    } catch (error) {
      if (error instanceof KvError && error.code === 'STORAGE_FULL')
        return refused('STORAGE_FULL', error.message);
      throw error;
    }
  }

  /** Tries to issue a page until it is known how much the disk has left. */
  async withSpaceKnown<T>(issue: () => Promise<T> | 'look-again'): Promise<T | PageRefused> {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const issued = issue();
      if (issued !== 'look-again') return await issued;
      await this.#deps.space.refresh();
    }
    return refused('STORAGE_FULL', 'it is not known how much the disk has left');
  }
}

export function refused(code: ReplicaRefusalCode, message: string): PageRefused {
  return { type: 'refused', code, message };
}

export const isPageRefused = (value: object): value is PageRefused =>
  'type' in value && value.type === 'refused';
