import type { LogIndex } from './types.ts';

/** Append messages on their way to one member: bounded in number and bytes, freed in order as they are answered. */
export class Window {
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #sent: { readonly last: LogIndex; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(messagesMax: number, bytesMax: number) {
    this.#messagesMax = messagesMax;
    this.#bytesMax = bytesMax;
  }

  get isFull(): boolean {
    return this.#sent.length >= this.#messagesMax || this.#bytes >= this.#bytesMax;
  }

  /** Notes a message whose last entry is `last`. */
  add(last: LogIndex, bytes: number): void {
    this.#sent.push({ last, bytes });
    this.#bytes += bytes;
  }

  /** Frees every message whose entries are all at or below `match`. */
  freeThrough(match: LogIndex): void {
    let count = 0;
    while (count < this.#sent.length && (this.#sent[count] as { last: LogIndex }).last <= match) {
      this.#bytes -= (this.#sent[count] as { bytes: number }).bytes;
      count++;
    }
    if (count > 0) this.#sent = this.#sent.slice(count);
  }
}
