import { majority } from '../../core/quorum/quorum-sizes.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { ReplicaReplyBody } from '../../peer/replica-messages.ts';
import { KvError } from '../../storage/errors.ts';
import type { CoordinatorContext } from './context.ts';

export type AskedVersions = ReplicaReplyBody & { readonly type: 'versions' };

/** What the clock of a member said, when it was asked. */
export type ClockSaid = { readonly member: MemberId; readonly nowMs: number };

/**
 * Whether something in the answer is further ahead of this node's clock than `skewMsMax`. Such an answer is not used: a
 * stamp above it would carry one wrong clock to everybody, and could not be taken back (regression D3).
 */
export function isFromTheFuture(answer: AskedVersions, nowMs: number, skewMsMax: number): boolean {
  const limitMs = nowMs + skewMsMax;
  const { version, floor, watermark, clock } = answer;
  return (
    (version !== undefined && version.wallMs > limitMs) ||
    floor.wallMs > limitMs ||
    watermark.wallMs > limitMs ||
    clock.wallMs > limitMs
  );
}

/** How far in the future the answer is; for people. */
export function latestOf({ version, floor, watermark, clock }: AskedVersions): number {
  return Math.max(version?.wallMs ?? 0, floor.wallMs, watermark.wallMs, clock.wallMs);
}

/**
 * Whether a majority of the set would refuse the next stamp as too far ahead of their clocks, which have gone on for at
 * most `elapsedMs` since they told them.
 */
export function isRefusedByMajority(
  context: CoordinatorContext,
  above: Version,
  clocks: readonly ClockSaid[],
  elapsedMs: number,
  members: number,
): boolean {
  const { clock, versions, options } = context;
  const stampMs = Math.max(clock.nowMs(), versions.last().wallMs, above.wallMs);
  let refusing = 0;
  for (const { nowMs } of clocks) if (stampMs > nowMs + elapsedMs + options.skewMsMax) refusing += 1;
  return refusing >= majority(members);
}

/** What to tell where the clocks of the nodes are too far apart. */
export function clockSkewError(
  context: CoordinatorContext,
  clocks: readonly ClockSaid[],
  outcome: 'unwritten' | 'unknown',
): KvError {
  const { clock, routing, options } = context;
  const nowMs = clock.nowMs();
  const told = clocks.map(({ member, nowMs: theirs }) => `${routing.nameOf(member)} ${at(theirs)}`);
  const theirs = told.length === 0 ? 'the others refused its stamp' : `the others said ${told.join(', ')}`;
  const end = outcome === 'unwritten' ? 'Nothing was written.' : 'Whether the write took effect is unknown.';
  return new KvError(
    'CLOCK_SKEW',
    `the clocks of the nodes are more than ${options.skewMsMax} ms (clock.skewMsMax) apart: ` +
      `this node's clock is at ${at(nowMs)}; ${theirs}. ${end} ` +
      'Set the clocks right (NTP), or send the request to another node',
    { outcome, ownClockMs: nowMs, skewMsMax: options.skewMsMax },
  );
}

function at(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
