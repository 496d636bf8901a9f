/** Redis's patterns over bytes: `*`, `?`, `[abc]`, `[^a]`, `[a-z]`, and `\` before a byte that stands for itself. */
export type Glob = {
  matches(bytes: Uint8Array): boolean;
  /** What every match begins with. */
  readonly prefix: Uint8Array;
};

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** `many`: any bytes; `one`: a byte that `allows`. */
type Step =
  | { readonly type: 'many' }
  | {
      readonly type: 'one';
      readonly allows: (byte: number) => boolean;
      readonly literal: number | undefined;
    };

export function parseGlob(pattern: Uint8Array): Glob {
  const steps = stepsOf(pattern);
  const first = steps.findIndex((step) => step.type === 'many' || step.literal === undefined);
  const literals = steps.slice(0, first < 0 ? steps.length : first);
  const prefix = Uint8Array.from(literals, (step) => (step.type === 'one' ? (step.literal ?? 0) : 0));
  return { prefix, matches: (bytes) => matches(steps, bytes) };
}

function stepsOf(pattern: Uint8Array): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; ) {
    const { step, next } = readStep(pattern, at);
    const isRepeated = step.type === 'many' && steps.at(-1)?.type === 'many';
    if (!isRepeated) steps.push(step);
    at = next;
  }
  return steps;
}

type Read = { readonly step: Step; readonly next: number };

function readStep(pattern: Uint8Array, at: number): Read {
  const byte = pattern[at] as number;
  if (byte === STAR) return { step: { type: 'many' }, next: at + 1 };
  if (byte === QUESTION)
    return { step: { type: 'one', allows: () => true, literal: undefined }, next: at + 1 };
  if (byte === OPEN) return readClass(pattern, at + 1);
  const isEscaped = byte === BACKSLASH && at + 1 < pattern.length;
  const literal = isEscaped ? (pattern[at + 1] as number) : byte;
  return { step: one(literal), next: at + (isEscaped ? 2 : 1) };
}

function one(literal: number): Step {
  return { type: 'one', allows: (byte) => byte === literal, literal };
}

/** A class that is not closed ends with the pattern. */
function readClass(pattern: Uint8Array, from: number): Read {
  const isNegated = pattern[from] === CARET;
  const allowed = new Uint8Array(256);
  let at = isNegated ? from + 1 : from;
  while (at < pattern.length && pattern[at] !== CLOSE) at = readMember(pattern, at, allowed);
  const wanted = isNegated ? 0 : 1;
  const allows = (byte: number): boolean => allowed[byte] === wanted;
  return { step: { type: 'one', allows, literal: undefined }, next: at + 1 };
}

function readMember(pattern: Uint8Array, at: number, allowed: Uint8Array): number {
  if (pattern[at] === BACKSLASH && at + 1 < pattern.length) {
    allowed[pattern[at + 1] as number] = 1;
    return at + 2;
  }
  const first = pattern[at] as number;
  if (pattern[at + 1] !== DASH || at + 2 >= pattern.length) {
    allowed[first] = 1;
    return at + 1;
  }
  const last = pattern[at + 2] as number;
  allowed.fill(1, Math.min(first, last), Math.max(first, last) + 1);
  return at + 3;
}

/** Goes back to the last `*` only: at most steps x bytes, whatever the pattern is. */
function matches(steps: readonly Step[], bytes: Uint8Array): boolean {
  let step = 0;
  let at = 0;
  let afterMany = -1;
  let retryAt = 0;
  while (at < bytes.length) {
    const current = steps[step];
    if (current?.type === 'many') {
      step += 1;
      afterMany = step;
      retryAt = at;
    } else if (current?.allows(bytes[at] as number) === true) {
      step += 1;
      at += 1;
    } else if (afterMany >= 0) {
      retryAt += 1;
      step = afterMany;
      at = retryAt;
    } else return false;
  }
  while (steps[step]?.type === 'many') step += 1;
  return step === steps.length;
}
