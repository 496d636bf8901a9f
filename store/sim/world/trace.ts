const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** What happened, as text where somebody reads it, and as one number that two equal runs have in common. */
export class Trace {
  readonly #write: ((line: string) => void) | undefined;
  readonly #nowMs: () => number;
  #digest = FNV_BASIS;

  constructor(nowMs: () => number, write: ((line: string) => void) | undefined) {
    this.#nowMs = nowMs;
    this.#write = write;
  }

  get digest(): string {
    return this.#digest.toString(16).padStart(8, '0');
  }

  /** `what` is part of the digest, `more` is not. */
  note(what: string, more?: () => string): void {
    this.#mix(Math.floor(this.#nowMs() * 1000));
    for (let i = 0; i < what.length; i++) this.#mix(what.charCodeAt(i));
    this.#write?.(`${this.#nowMs().toFixed(1).padStart(9)} ${what}${more === undefined ? '' : ` ${more()}`}`);
  }

  #mix(value: number): void {
    this.#digest = Math.imul(this.#digest ^ value, FNV_PRIME) >>> 0;
  }
}
