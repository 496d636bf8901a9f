/** Bytes of replies that one connection shall have under way together. */
const REPLIES_BYTES_AIM = 4 * 1024 * 1024;
const FIRST_SIZE = 32;

/**
 * How many commands of one connection are under way at once: few at first and while replies are large, since nobody knows the size of a
 * value before it is read; more while they are small.
 */
export class PipelineWindow {
  readonly #max: number;
  #size: number;
  #smallSinceChange = 0;

  constructor({ pipelineMax }: { readonly pipelineMax: number }) {
    this.#max = pipelineMax;
    this.#size = Math.min(FIRST_SIZE, pipelineMax);
  }

  get size(): number {
    return this.#size;
  }

  answered(replyBytes: number): void {
    const fitting = Math.max(1, Math.floor(REPLIES_BYTES_AIM / Math.max(1, replyBytes)));
    if (fitting < this.#size) {
      this.#size = fitting;
      this.#smallSinceChange = 0;
    } else if (this.#size < this.#max && ++this.#smallSinceChange >= this.#size) {
      this.#size = Math.min(this.#max, 2 * this.#size, Math.max(fitting, this.#size));
      this.#smallSinceChange = 0;
    }
  }
}
