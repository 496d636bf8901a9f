import type { MessageOf } from './messages.ts';
import type { Snapshot } from './types.ts';

/**
 * A snapshot under reception. Chunks are taken in order and of one snapshot only, and a new leader begins anew:
 * two leaders' snapshots of one index may differ in bytes. It is complete when every announced byte is there (R27).
 */
export class SnapshotAssembly {
  readonly #first: MessageOf<'snapshot'>;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(first: MessageOf<'snapshot'>) {
    this.#first = first;
  }

  /** The first byte still missing. */
  get offset(): number {
    return this.#bytes;
  }

  /** Whether `chunk` is of the snapshot under reception. */
  isOf(chunk: MessageOf<'snapshot'>): boolean {
    const { meta, bytesTotal } = this.#first;
    return (
      chunk.meta.index === meta.index && chunk.meta.term === meta.term && chunk.bytesTotal === bytesTotal
    );
  }

  /** Takes `chunk` where it is the next one; the snapshot where that completes it. */
  add(chunk: MessageOf<'snapshot'>): Snapshot | undefined {
    const { meta, bytesTotal } = this.#first;
    if (chunk.offset === this.#bytes && this.#bytes + chunk.data.length <= bytesTotal) {
      this.#chunks.push(chunk.data);
      this.#bytes += chunk.data.length;
    }
    return this.#bytes === bytesTotal ? { ...meta, data: this.#joined() } : undefined;
  }

  #joined(): Uint8Array {
    const data = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      data.set(chunk, offset);
      offset += chunk.length;
    }
    return data;
  }
}
