export type ProgressState = {
  readonly noun: string;
  readonly count: number;
  /** Bytes of `bytesTotal`, undefined where the size of the whole is not known. */
  readonly bytes: number;
  readonly bytesTotal: number | undefined;
  readonly elapsedMs: number;
  /** What an earlier run had done already: it is no part of the rate. */
  readonly bytesBefore?: number;
  readonly countBefore?: number;
};

const BAR_CELLS = 24;
const REDRAW_MS = 100;
const PLAIN_LINE_MS = 2_000;

/** `12,345 records  41%  6,789/s  1.2 MB/s  ETA 0:42`, with a bar in front on a terminal. */
export function progressLine(state: ProgressState, { withBar }: { readonly withBar: boolean }): string {
  const seconds = Math.max(state.elapsedMs, 1) / 1000;
  const rate = (state.count - (state.countBefore ?? 0)) / seconds;
  const bytesRate = (state.bytes - (state.bytesBefore ?? 0)) / seconds;
  const parts = [`${formatCount(state.count)} ${state.noun}`, `${formatCount(rate)}/s`];
  parts.push(`${formatBytes(bytesRate)}/s`);
  if (state.bytesTotal === undefined) return parts.join('  ');
  const share = state.bytesTotal === 0 ? 1 : Math.min(1, state.bytes / state.bytesTotal);
  parts.splice(1, 0, `${Math.floor(share * 100)}%`);
  if (bytesRate > 0) parts.push(`ETA ${formatDuration((state.bytesTotal - state.bytes) / bytesRate)}`);
  return withBar ? `${bar(share)} ${parts.join('  ')}` : parts.join('  ');
}

export function bar(share: number): string {
  const full = Math.round(share * BAR_CELLS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}]`;
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** Decimal units, as disks and networks count. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `0:42`, `3:05`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const padded = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${padded}` : `${minutes}:${padded}`;
}

export type ProgressSink = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

/** Shows how far a long command is: a bar redrawn in place on a terminal, else a plain line every two seconds. */
export class Progress {
  readonly #sink: ProgressSink;
  readonly #now: () => number;
  #shownMs: number;
  #isBarShown = false;

  constructor(sink: ProgressSink, now: () => number) {
    this.#sink = sink;
    this.#now = now;
    this.#shownMs = now();
  }

  update(state: ProgressState): void {
    this.draw((options) => progressLine(state, options));
  }

  /** Shows what `lineOf` gives, where it is time to. */
  draw(lineOf: (options: { readonly withBar: boolean }) => string): void {
    const isTerminal = this.#sink.isTTY === true;
    const nowMs = this.#now();
    if (nowMs - this.#shownMs < (isTerminal ? REDRAW_MS : PLAIN_LINE_MS)) return;
    this.#shownMs = nowMs;
    const line = lineOf({ withBar: isTerminal });
    this.#sink.write(
      isTerminal ? `\r\u001b[2K${line.slice(0, (this.#sink.columns ?? 80) - 1)}` : `${line}\n`,
    );
    this.#isBarShown = isTerminal;
  }

  /** Removes the bar, so that something else can be written. */
  clear(): void {
    if (this.#isBarShown) this.#sink.write('\r\u001b[2K');
    this.#isBarShown = false;
  }
}
