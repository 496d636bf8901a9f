import { integer, type Reply } from '../../../core/resp/reply.ts';
import type { Call } from '../call.ts';
import type { Handlers } from './command.ts';
import { readOne } from './read-commands.ts';

const NO_KEY: Reply = integer(-2);
const NO_EXPIRY: Reply = integer(-1);

export const expiryCommands: Handlers = {
  ttl: (call) => tell(call, (expiresAtMs, nowMs) => Math.floor((expiresAtMs - nowMs + 500) / 1000)),
  pttl: (call) => tell(call, (expiresAtMs, nowMs) => expiresAtMs - nowMs),
  expiretime: (call) => tell(call, (expiresAtMs) => Math.floor((expiresAtMs + 500) / 1000)),
  pexpiretime: (call) => tell(call, (expiresAtMs) => expiresAtMs),
};

function tell(call: Call, what: (expiresAtMs: number, nowMs: number) => number): void {
  readOne(call, (record) => {
    if (record === undefined) return NO_KEY;
    const { expiresAtMs } = record;
    if (expiresAtMs === undefined) return NO_EXPIRY;
    return integer(Math.max(0, what(expiresAtMs, Math.floor(call.context.clock.nowMs()))));
  });
}
