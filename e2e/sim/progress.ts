/** One line that is written over again on a terminal, and now and then elsewhere. */
export class Progress {
  readonly #total: number | undefined;
  readonly #untilMs: number | undefined;
  readonly #startMs = Date.now();
  #shownMs = 0;

  constructor(total: number | undefined, minutes: number | undefined) {
    this.#total = total;
    this.#untilMs = minutes === undefined ? undefined : this.#startMs + minutes * 60_000;
  }

  /** `failures`: those so far, so that the first can be replayed while the others still run. */
  show(done: number, failures: readonly { readonly seed: number }[]): void {
    const nowMs = Date.now();
    const isTerminal = process.stderr.isTTY === true;
    if (nowMs - this.#shownMs < (isTerminal ? 200 : 10_000)) return;
    this.#shownMs = nowMs;
    const text = this.#text(done, failures, nowMs);
    process.stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  end(): void {
    if (process.stderr.isTTY === true) process.stderr.write('\r\u001b[K');
  }

  #text(done: number, failures: readonly { readonly seed: number }[], nowMs: number): string {
    const seconds = (nowMs - this.#startMs) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    const left =
      this.#untilMs === undefined
        ? ((this.#total ?? done) - done) / Math.max(rate, 0.001)
        : (this.#untilMs - nowMs) / 1000;
    const of = this.#untilMs === undefined ? ` of ${this.#total}` : '';
    const seeds = failures.length === 0 ? '' : `: ${failures.map(({ seed }) => seed).join(', ')}`;
    const pace = `${rate.toFixed(1)}/s, ${Math.max(0, Math.round(left))} s left`;
    return `${done}${of} seeds, ${pace}, ${failures.length} failed${seeds}`;
  }
}
