import { majority } from '../../core/quorum/quorum-sizes.ts';
import type { MemberId } from '../../core/raft/types.ts';
import type { Version } from '../../core/version/version.ts';
import type { ReplicaReplyBody } from '../../peer/replica-messages.ts';
import { KvError } from '../../storage/errors.ts';
import type { CoordinatorContext } from './context.ts';

export type AskedVersions = ReplicaReplyBody & { readonly type: 'versions' };

/** What the clock of a member said, when it was asked; `latestMs` is the latest time in its answer. */
export type ClockSaid = { readonly member: MemberId; readonly nowMs: number; readonly latestMs: number };

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

/** What the answer says of time, at the latest; for people. */
export function latestOf({ version, floor, watermark, clock, nowMs }: AskedVersions): number {
  return Math.max(version?.wallMs ?? 0, floor.wallMs, watermark.wallMs, clock.wallMs, nowMs);
}

/**
 * Whether a majority of the set will take the next stamp, as far as their clocks tell, which have gone on for at most
 * `elapsedMs` since they told them. A stamp that they refuse would stay on this node alone, ahead of all that others can
 * write: with one clock against one, the others are asked first.
 */
export function judgeStamp(
  context: CoordinatorContext,
  above: Version,
  clocks: readonly ClockSaid[],
  elapsedMs: number,
  members: number,
): 'accepted' | 'refused' | 'unsure' {
  const { clock, versions, options } = context;
  const stampMs = Math.max(clock.nowMs(), versions.last().wallMs, above.wallMs);
  let refusing = 0;
  for (const { nowMs } of clocks) if (stampMs > nowMs + elapsedMs + options.skewMsMax) refusing += 1;
  if (refusing === 0 || clocks.length - refusing >= majority(members)) return 'accepted';
  return refusing >= majority(members) ? 'refused' : 'unsure';
}

/** What to tell where the clocks of the nodes are too far apart. */
export function clockSkewError(
  context: CoordinatorContext,
  clocks: readonly ClockSaid[],
  outcome: 'unwritten' | 'unknown',
): KvError {
  const { clock, routing, versions, options } = context;
  const nowMs = clock.nowMs();
  const stampedMs = versions.last().wallMs;
  // So it is after a restart with a clock that was ahead before: the clocks agree, and it must wait all the same.
  const bound =
    stampedMs > nowMs + options.skewMsMax
      ? `, and no version below ${at(stampedMs)}, which it may have given before, can be given again`
      : '';
  const told = clocks.map(({ member, latestMs: theirs }) => `${routing.nameOf(member)} ${at(theirs)}`);
  const theirs = told.length === 0 ? 'the others refused its stamp' : `the others said ${told.join(', ')}`;
  const end = outcome === 'unwritten' ? 'Nothing was written.' : 'Whether the write took effect is unknown.';
  return new KvError(
    'CLOCK_SKEW',
    `the clocks of the nodes are more than ${options.skewMsMax} ms (clock.skewMsMax) apart: ` +
      `this node's clock is at ${at(nowMs)}${bound}; ${theirs}. ${end} ` +
      'Set the clocks right (NTP), or send the request to another node',
    { outcome, ownClockMs: nowMs, skewMsMax: options.skewMsMax },
  );
}

function at(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
