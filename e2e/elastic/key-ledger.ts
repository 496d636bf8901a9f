/** Of the writes of a key, which are numbered from 1, each of this many is a delete. */
const DELETE_EACH = 16;

/** A write that is under way: the only one of its key. */
export type OpenWrite = { readonly key: number; readonly sequence: number };

/**
 * What was written to each of many keys, in a few bytes a key: the writes of a key are numbered, one is under way at a time, and
 * the value names its number. A write whose outcome is not known may take effect at any later time, so that its key is
 * written no more.
 */
export class KeyLedger {
  readonly keys: number;
  readonly #valueBytes: number;
  readonly #sent: Int32Array;
  readonly #acknowledged: Int32Array;
  readonly #isBusy: Uint8Array;
  unknown = 0;

  constructor({ keys, valueBytes }: { readonly keys: number; readonly valueBytes: number }) {
    this.keys = keys;
    this.#valueBytes = valueBytes;
    this.#sent = new Int32Array(keys);
    this.#acknowledged = new Int32Array(keys);
    this.#isBusy = new Uint8Array(keys);
  }

  nameOf(key: number): string {
    return `key-${key}`;
  }

  /** Undefined for a delete. */
  valueOf({ key, sequence }: OpenWrite): string | undefined {
    return isDelete(sequence) ? undefined : `${key}#${sequence} `.padEnd(this.#valueBytes, 'v');
  }

  /** Undefined where a write of the key is under way, or its outcome is not known. */
  beginWrite(key: number): OpenWrite | undefined {
    if (this.#isBusy[key] === 1) return undefined;
    this.#isBusy[key] = 1;
    const sequence = (this.#sent[key] ?? 0) + 1;
    this.#sent[key] = sequence;
    return { key, sequence };
  }

  /** `refused`: it was certainly not done, and never will be. */
  endWrite({ key, sequence }: OpenWrite, outcome: 'acknowledged' | 'refused' | 'unknown'): void {
    if (outcome === 'unknown') this.unknown += 1;
    else this.#isBusy[key] = 0;
    if (outcome === 'acknowledged') this.#acknowledged[key] = sequence;
  }

  /** What a read that begins now must not go below. */
  acknowledgedOf(key: number): number {
    return this.#acknowledged[key] ?? 0;
  }

  /**
   * Why `value` (undefined: nothing was found) cannot be what is there, for a read before which the write `from` was
   * acknowledged; undefined where it can.
   */
  problemOf(key: number, value: string | undefined, from: number): string | undefined {
    const last = this.#sent[key] ?? 0;
    if (value === undefined) {
      const hasDelete = from === 0 || Math.floor(last / DELETE_EACH) > Math.floor((from - 1) / DELETE_EACH);
      return hasDelete ? undefined : `${this.nameOf(key)} is not there; write ${from} of it was acknowledged`;
    }
    const [, owner, text] = /^(\d+)#(\d+) /.exec(value) ?? [];
    const sequence = Number(text);
    const isIts = Number(owner) === key && !isDelete(sequence);
    if (isIts && sequence >= from && sequence <= last) return undefined;
    return `${this.nameOf(key)} is ${JSON.stringify(value.slice(0, 40))}; write ${from} was acknowledged, ${last} the last that was sent`;
  }
}

function isDelete(sequence: number): boolean {
  return sequence % DELETE_EACH === 0;
}
