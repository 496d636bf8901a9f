import type { Level } from '../../core/quorum/quorum-sizes.ts';
import type { PartitionView } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { type Epoch, toEpoch } from '../../core/topology/types.ts';
import type { DataReply, DataRequest, ScanRequest } from '../../peer/data-messages.ts';
import { type Clock, sleep } from '../../ports/clock.ts';
import type { DataOutcome, DataPeers, Routing } from '../types.ts';
import { type MergedAnswers, mergeAnswers, type ScanAnswer } from './merge-answers.ts';
import { type AskedPartition, planScan } from './scan-plan.ts';

export type ScanStepDeps = {
  readonly clock: Clock;
  readonly routing: Pick<Routing, 'self' | 'partitions' | 'viewOf' | 'isUp' | 'nameOf' | 'waitForEpoch'>;
  readonly peers: DataPeers;
  /** This member's own part; never rejects but where its storage has failed. */
  scanHere(request: ScanRequest): Promise<DataReply>;
  /** The error for a caller whose quorum was not reached in time. */
  notMet(message: string): Error;
};

/** What remains of a range, in the direction of the scan. */
export type ScanStep = {
  readonly namespaceId: number;
  readonly start: Uint8Array | undefined;
  readonly end: Uint8Array | undefined;
  readonly isReverse: boolean;
  readonly level: Level;
  readonly withValues: boolean;
  /** Keys and bytes that the page can still take. */
  readonly entriesMax: number;
  readonly bytesMax: number;
  /** Monotonic. */
  readonly deadlineMs: number;
  /** For one try: a member that hangs must leave time to ask another. */
  readonly tryMsMax: number;
};

export type StepEnd = MergedAnswers & { readonly views: readonly PartitionView[] };

const RETRY_MS = 25;
/** Entries that a member is asked for beyond its share, since keys do not fall evenly. */
const SPARE_ENTRIES = 16;
/** Room for the versions of a page where no values come; keys may be a kilobyte. */
const SHARE_BYTES_MIN = 262_144;
/** An answer is one frame, which may be 16 MiB, and its last record comes on top. */
const ANSWER_BYTES_MAX = 4 << 20;

/**
 * Asks a plan's members for the next keys, and asks again, others or under a newer epoch, until each partition has R answers of
 * one epoch. `avoided` are members that failed of late; it is added to. Rejects with `notMet` at the deadline.
 */
export async function scanStep(
  step: ScanStep,
  avoided: Set<MemberId>,
  deps: ScanStepDeps,
  signal: AbortSignal,
): Promise<StepEnd> {
  const { clock, routing } = deps;
  let why = 'the partitions are not placed';
  for (;;) {
    const leftMs = step.deadlineMs - clock.monotonicMs();
    if (leftMs <= 0 || signal.aborted)
      throw deps.notMet(`the scan reached no quorum of every partition in time: ${why}`);
    const views = viewsOf(routing);
    if (views !== undefined) {
      const attempt = await attemptStep(step, views, Math.min(leftMs, step.tryMsMax), avoided, deps);
      if (attempt.type === 'done') return { ...attempt.merged, views };
      why = attempt.why;
      await catchUp(attempt.newerEpoch, Math.min(step.tryMsMax, leftMs), deps, signal);
      if (attempt.newerEpoch !== undefined && isNewer(routing, views)) continue;
    }
    await sleep(clock, RETRY_MS, signal);
  }
}

type Attempt =
  | { readonly type: 'done'; readonly merged: MergedAnswers }
  | { readonly type: 'failed'; readonly why: string; readonly newerEpoch: Epoch | undefined };

async function attemptStep(
  step: ScanStep,
  views: readonly PartitionView[],
  timeoutMs: number,
  avoided: Set<MemberId>,
  deps: ScanStepDeps,
): Promise<Attempt> {
  const { routing } = deps;
  const plan = planScan(views, {
    ...{ self: routing.self, level: step.level, withValues: step.withValues },
    isUp: (member) => routing.isUp(member),
    isAvoided: (member) => avoided.has(member),
  });
  const members = [...plan.asks.keys()];
  const outcomes = await Promise.all(
    [...plan.asks].map(([to, partitions]) =>
      ask({ to, ...requestOf(step, partitions, views.length) }, timeoutMs, deps),
    ),
  );
  const answers = new Map<MemberId, ScanAnswer>();
  const failures: string[] = [];
  const failed: MemberId[] = [];
  let newerEpoch: Epoch | undefined;
  for (const [i, outcome] of outcomes.entries()) {
    const member = members[i] as MemberId;
    if (outcome.type === 'reply' && outcome.reply.type === 'scan') {
      answers.set(member, outcome.reply);
      continue;
    }
    failures.push(`${routing.nameOf(member)}: ${saidBy(outcome)}`);
    const stale = staleEpochOf(outcome);
    // Who knows more than this member is not at fault.
    if (stale === undefined) failed.push(member);
    else newerEpoch = toEpoch(Math.max(newerEpoch ?? 0, stale));
  }
  avoid(failed, avoided);
  if (failures.length === 0) return { type: 'done', merged: mergeAnswers(plan, answers, step.isReverse) };
  return { type: 'failed', why: failures.join(', '), newerEpoch };
}

/** Where members that failed had to be asked again, those that did not fail now get their turn. */
function avoid(failed: readonly MemberId[], avoided: Set<MemberId>): void {
  if (failed.some((member) => avoided.has(member))) avoided.clear();
  for (const member of failed) avoided.add(member);
}

function requestOf(
  step: ScanStep,
  partitions: readonly AskedPartition[],
  partitionCount: number,
): ScanRequest {
  const { namespaceId, start, end, isReverse, entriesMax, bytesMax } = step;
  const share = partitions.length / partitionCount;
  const fullShare = partitions.filter(({ isFull }) => isFull).length / partitionCount;
  const bytes = SHARE_BYTES_MIN + Math.ceil(bytesMax * (step.withValues ? fullShare : share));
  return {
    ...{ type: 'scan', partitions, namespaceId, start, end, isReverse },
    entriesMax: Math.ceil(entriesMax * share) + SPARE_ENTRIES,
    bytesMax: Math.min(ANSWER_BYTES_MAX, bytes),
  };
}

async function ask(
  request: DataRequest & ScanRequest,
  timeoutMs: number,
  deps: ScanStepDeps,
): Promise<DataOutcome> {
  if (request.to !== deps.routing.self) return deps.peers.request(request, { timeoutMs });
  return { type: 'reply', reply: await deps.scanHere(request) };
}

function viewsOf(routing: ScanStepDeps['routing']): readonly PartitionView[] | undefined {
  const views: PartitionView[] = [];
  for (let partition = 0; partition < routing.partitions; partition++) {
    const view = routing.viewOf(partition);
    if (view === undefined) return undefined;
    views.push(view);
  }
  return views;
}

function isNewer(routing: ScanStepDeps['routing'], views: readonly PartitionView[]): boolean {
  return views.some((view, partition) => (routing.viewOf(partition)?.epoch ?? 0) > view.epoch);
}

async function catchUp(
  epoch: Epoch | undefined,
  waitMs: number,
  { clock, routing }: ScanStepDeps,
  signal: AbortSignal,
): Promise<void> {
  if (epoch === undefined) return;
  const wait = new AbortController();
  const end = (): void => wait.abort();
  const timer = clock.setTimer(waitMs, end);
  signal.addEventListener('abort', end, { once: true });
  await routing.waitForEpoch(epoch, wait.signal);
  timer.cancel();
  signal.removeEventListener('abort', end);
}

/** The epoch that this member has yet to learn of; undefined where the other one is behind, or gone. */
function staleEpochOf(outcome: DataOutcome): Epoch | undefined {
  if (outcome.type !== 'reply' || outcome.reply.type !== 'data-refused') return undefined;
  return outcome.reply.code === 'STALE_EPOCH' ? outcome.reply.epoch : undefined;
}

function saidBy(outcome: DataOutcome): string {
  if (outcome.type === 'unreachable') return `unreachable ${outcome.code}`;
  const { reply } = outcome;
  return reply.type === 'data-refused' ? `refused ${reply.code}` : `answered with '${reply.type}'`;
}
