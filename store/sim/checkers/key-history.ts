import type { Version } from '../../core/version/version.ts';
import { requireLinearizable } from './linearizability.ts';
import type { HistoryClock, RegisterOperation } from './register-operation.ts';
import { type Found, type Mark, VersionOrder } from './version-order.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * What clients did with one key, as they learn of it: checked by versions at once, and by the search for an order of all
 * of it at the end. A read of nothing that an expired record explains says little and is left out.
 */
export class KeyHistory {
  readonly key: string;
  readonly #clock: HistoryClock;
  readonly #order: VersionOrder;
  readonly operations: RegisterOperation[] = [];

  constructor(key: string, clock: HistoryClock) {
    this.key = key;
    this.#clock = clock;
    this.#order = new VersionOrder(key);
  }

  /** `expiresAtMs`: the earliest that the record may expire, where it does. */
  beginPut(by: string, value: string, expiresAtMs: number | undefined): OpenWrite {
    const write = this.#beginWrite({ ...this.#begin(by), type: 'put', value });
    const expiring = expiresAtMs === undefined ? undefined : this.#order.expiringPutBegan(expiresAtMs);
    return {
      ...write,
      acknowledged: (version) => {
        if (expiring !== undefined) expiring.version = version;
        this.#order.put(write.mark, version, `the put of ${value} by ${by}`, value);
        write.end();
      },
    };
  }

  beginDelete(by: string): OpenWrite {
    const write = this.#beginWrite({ ...this.#begin(by), type: 'delete' });
    this.#order.deleteBegan();
    return {
      ...write,
      acknowledged: (version) => {
        this.#order.deleted(write.mark, version, `the delete by ${by}`);
        write.end();
      },
      refused: () => {
        this.#order.deleteRefused();
        write.refused();
      },
    };
  }

  beginRead(by: string): OpenRead {
    const { mark } = this.#order;
    const began = this.#begin(by);
    const text = `the read by ${by}`;
    const end = (value: string | undefined): void => {
      this.operations.push({ ...began, type: 'read', value, endedAt: this.#clock.next() });
    };
    return {
      found: (found, earliestNowMs) => {
        this.#order.found(mark, found, text, earliestNowMs);
        end(found.value);
      },
      absent: (latestNowMs) => {
        this.#order.absent(mark, text, latestNowMs);
        if (!this.#order.mayHaveExpired(undefined, latestNowMs)) end(undefined);
      },
    };
  }

  requireLinearizable(): void {
    requireLinearizable(this.key, this.operations);
  }

  #begin(by: string) {
    return { by, beganAt: this.#clock.next(), endedAt: undefined };
  }

  #beginWrite(operation: Mutable<Extract<RegisterOperation, { readonly type: 'put' | 'delete' }>>) {
    const { mark } = this.#order;
    this.operations.push(operation);
    return {
      mark,
      end: () => {
        operation.endedAt = this.#clock.next();
      },
      refused: () => {
        operation.isRefused = true;
        operation.endedAt = this.#clock.next();
      },
    };
  }
}

/** A write that was sent. Nothing is called where its outcome is unknown, or promises less than a quorum. */
export type OpenWrite = {
  readonly mark: Mark;
  acknowledged(version: Version): void;
  /** It was said that nothing was written, now or later. */
  refused(): void;
};

export type OpenRead = {
  /** `earliestNowMs`: the least that the clock of who answered showed in the time of the read. */
  found(found: Found, earliestNowMs: number): void;
  /** `latestNowMs`: the most that any clock has shown so far. */
  absent(latestNowMs: number): void;
};
