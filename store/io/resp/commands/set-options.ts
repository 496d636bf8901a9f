import { lowerName, wholeNumber } from '../../../core/resp/arguments.ts';
import type { Call } from '../call.ts';
import { CommandError, NOT_AN_INTEGER, refuseLinearizable, SYNTAX_ERROR } from '../command-error.ts';

/** What needs to know the value, or the expiry, that it replaces. */
const CONDITIONS: ReadonlySet<string> = new Set([
  'nx',
  'xx',
  'get',
  'keepttl',
  'ifeq',
  'ifne',
  'ifdeq',
  'ifdne',
]);

const UNITS: Readonly<Record<string, { readonly ms: number; readonly isAbsolute: boolean }>> = {
  ex: { ms: 1000, isAbsolute: false },
  px: { ms: 1, isAbsolute: false },
  exat: { ms: 1000, isAbsolute: true },
  pxat: { ms: 1, isAbsolute: true },
};

/** The options of SET behind the value: when the key expires, in milliseconds since 1970; undefined: never. */
export function expiryOfSet(call: Call): number | undefined {
  let expiresAtMs: number | undefined;
  for (let at = 3; at < call.args.length; at += 2) {
    const name = lowerName(call.argument(at));
    if (CONDITIONS.has(name)) refuseLinearizable(`SET ${name.toUpperCase()}`);
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name] : undefined;
    const amount = call.args[at + 1];
    if (unit === undefined || amount === undefined || expiresAtMs !== undefined)
      throw new CommandError(SYNTAX_ERROR);
    expiresAtMs = expiryOf(call, amount, unit);
  }
  return expiresAtMs;
}

/** Of `amount` in units of `ms`, from now on or since 1970. */
export function expiryOf(
  call: Call,
  amount: Uint8Array,
  { ms, isAbsolute }: { readonly ms: number; readonly isAbsolute: boolean },
): number {
  const count = wholeNumber(amount);
  if (count === undefined) throw new CommandError(NOT_AN_INTEGER);
  const { clock, options } = call.context;
  const nowMs = clock.nowMs();
  const expiresAtMs = isAbsolute ? count * ms : nowMs + count * ms;
  if (count <= 0 || expiresAtMs > nowMs + options.ttlMsMax)
    throw new CommandError(`ERR invalid expire time in '${call.command.spec.name}' command`);
  return expiresAtMs;
}
