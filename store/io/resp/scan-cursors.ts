/** Where a scan goes on, by a number: what clients of Redis take for a cursor. */
type Position = { readonly namespace: string; readonly after: Uint8Array };

const COUNTER_LIMIT = 2 ** 24;

/**
 * The cursors of SCAN that this node remembers. A key does not fit into 64 bits, so a cursor stands for a place that is kept here: the last
 * used ones, for as long as the node runs. `life` tells apart the cursors of two nodes, and of two lives of one.
 */
export class ScanCursors {
  readonly #positions = new Map<number, Position>();
  readonly #base: number;
  readonly #max: number;
  #issued = 0;

  /** `life`: a random number below 2^28. */
  constructor({ cursorsMax, life }: { readonly cursorsMax: number; readonly life: number }) {
    this.#max = cursorsMax;
    this.#base = (life + 1) * COUNTER_LIMIT;
  }

  issue(position: Position): number {
    this.#issued = (this.#issued + 1) % COUNTER_LIMIT;
    const cursor = this.#base + this.#issued;
    this.#positions.set(cursor, position);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > this.#max && oldest !== undefined) this.#positions.delete(oldest);
    return cursor;
  }

  /** It may be asked for again, e.g. where an answer was lost. */
  find(cursor: number): Position | undefined {
    const position = this.#positions.get(cursor);
    if (position === undefined) return undefined;
    this.#positions.delete(cursor);
    this.#positions.set(cursor, position);
    return position;
  }
}
