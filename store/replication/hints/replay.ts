import { writtenMembers } from '../../core/quorum/replica-sets.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { compareVersions } from '../../core/version/version.ts';
import type { ReplicaRefusalCode } from '../../peer/replica-messages.ts';
import type { Clock } from '../../ports/clock.ts';
import { readHintKey } from '../../storage/key-layout.ts';
import type { ReplicaClient, ReplicaOutcome, Routing } from '../types.ts';
import type { RemoveReason } from './hint-batch.ts';
import type { StoredHint } from './hint-codec.ts';
import type { HintEntry, HintLog } from './hint-log.ts';
import { Pace } from './pace.ts';

/** They may change while hints are replayed. */
export type ReplayOptions = {
  readonly ageMsMax: number;
  readonly replayBytesPerSecond: number;
  readonly timeoutMs: number;
};

export type ReplayDeps = {
  readonly clock: Clock;
  readonly log: HintLog;
  readonly client: ReplicaClient;
  readonly routing: Pick<Routing, 'viewOf' | 'isUp'>;
};

/** What a pass over the hints of one owner came to: where any are left, another pass has to follow. */
export type ReplayEnd = { readonly settled: number; readonly left: number };

/** Requests to one owner that are under way at once. */
const IN_FLIGHT_MAX = 64;
const IN_FLIGHT_BYTES_MAX = 8 << 20;

/** `skip`: this hint waits for another pass; `stop`: the owner takes nothing now, and so do all. */
type Verdict = { readonly type: 'end'; readonly why: RemoveReason } | { readonly type: 'skip' | 'stop' };

/** Offers all hints for `owner` to it once, and ends early where it is gone again or takes nothing. */
export async function replayTo(
  owner: MemberId,
  options: ReplayOptions,
  deps: ReplayDeps,
  signal: AbortSignal,
): Promise<ReplayEnd> {
  const { log, routing, clock } = deps;
  const rate = {
    get bytesPerSecond() {
      return options.replayBytesPerSecond;
    },
  };
  const pace = new Pace(rate, clock);
  const underWay = new Set<Promise<void>>();
  let settled = 0;
  let left = 0;
  let isOver = false;
  let underWayBytes = 0;
  const offerOne = async (entry: HintEntry): Promise<void> => {
    underWayBytes += entry.bytes;
    const verdict = await offer(entry, options, deps);
    underWayBytes -= entry.bytes;
    if (verdict.type === 'stop') isOver = true;
    if (verdict.type === 'end') {
      settled += 1;
      log.remove(entry.key, entry.stored?.version, verdict.why);
    } else left += 1;
  };
  const isFull = (bytes: number): boolean =>
    underWay.size >= IN_FLIGHT_MAX || (underWay.size > 0 && underWayBytes + bytes > IN_FLIGHT_BYTES_MAX);
  const mustEnd = (): boolean => isOver || signal.aborted || !routing.isUp(owner);
  let after: Uint8Array | undefined;
  while (!mustEnd()) {
    const entries = await log.page(owner, after);
    if (entries.length === 0) break;
    after = entries.at(-1)?.key;
    for (const entry of entries) {
      await pace.spend(entry.bytes, signal);
      while (isFull(entry.bytes)) await Promise.race(underWay);
      if (mustEnd()) {
        left += 1;
        break;
      }
      const one = offerOne(entry).finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }
  await Promise.all(underWay);
  // Nothing was read of an owner that is gone again: there is something left all the same.
  return { settled, left: mustEnd() ? Math.max(1, left) : left };
}

async function offer(entry: HintEntry, options: ReplayOptions, deps: ReplayDeps): Promise<Verdict> {
  const { stored } = entry;
  if (stored === undefined) return { type: 'end', why: 'corrupt' };
  if (deps.clock.nowMs() - stored.keptAtMs > options.ageMsMax) return { type: 'end', why: 'age' };
  const { owner, partition, namespaceId, key } = readHintKey(entry.key);
  const view = deps.routing.viewOf(partition);
  if (view === undefined) return { type: 'skip' };
  if (!writtenMembers(view.sets).includes(owner)) return { type: 'end', why: 'not-owner' };
  const { record } = stored;
  const body = { type: 'store', origin: 'hint', record, sourceWatermark: undefined } as const;
  const request = { to: owner, partition, epoch: view.epoch, namespaceId, key, body };
  return verdictOn(stored, await deps.client.ask(request, { timeoutMs: options.timeoutMs }));
}

function verdictOn(hint: StoredHint, outcome: ReplicaOutcome): Verdict {
  if (outcome.type === 'unreachable') return { type: 'stop' };
  const { body } = outcome.reply;
  switch (body.type) {
    case 'held':
      // Only a version at or above its own says that the hint has done its work.
      return compareVersions(body.version, hint.version) >= 0
        ? { type: 'end', why: 'replayed' }
        : { type: 'skip' };
    case 'refused':
      return verdictOnRefusal(body.code);
    case 'versions':
    case 'sight':
      return { type: 'skip' };
  }
}

function verdictOnRefusal(code: ReplicaRefusalCode): Verdict {
  switch (code) {
    // At or below the floor a round may have settled the key without this version, or collected what replaced it
    // (D12, scylladb#23712): to bring it back would be a resurrection.
    case 'BELOW_FLOOR':
    case 'BELOW_WATERMARK':
      return { type: 'end', why: 'below-floor' };
    case 'NAMESPACE_NOT_FOUND':
      return { type: 'end', why: 'namespace-dropped' };
    case 'NOT_OWNER':
      return { type: 'end', why: 'not-owner' };
    // One side lags in the topology, or the fault is with this key alone: others may pass.
    case 'STALE_EPOCH':
    case 'EPOCH_UNKNOWN':
    case 'CLOCK_SKEW':
    case 'RECORD_CORRUPT':
      return { type: 'skip' };
    case 'WRONG_MEMBER':
    case 'STORAGE_FULL':
    case 'STORAGE_FAILED':
    case 'OVERLOADED':
    case 'REPLICA_OUT':
    case 'STOPPING':
      return { type: 'stop' };
  }
}
