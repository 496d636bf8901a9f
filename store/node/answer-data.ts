import { deadline } from '../cluster/deadline.ts';
import type { TopologyReplica } from '../cluster/topology-replica.ts';
import type { MemberId } from '../core/raft/types.ts';
import { toEpoch } from '../core/topology/types.ts';
import type { Version } from '../core/version/version.ts';
import type { DataReply, DataRequest, ExplainRequest, MemberReport } from '../peer/data-messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { AntiEntropy } from '../replication/exchange/anti-entropy.ts';
import { fence } from '../replication/exchange/fence.ts';
import { givePage } from '../replication/moves/give-page.ts';
import type { LocalReplica } from '../replication/replica/replica.ts';
import { type LocalScanDeps, scanHere } from '../replication/scan/local-scan.ts';
import type { HintKeeper, Routing } from '../replication/types.ts';
import type { Engine } from '../storage/engine.ts';
import { namespaceIdOf, userKeyOf } from '../storage/key-layout.ts';
import { SCAN_LIMITS } from './scan-own.ts';

export type DataAnswerers = {
  readonly self: MemberId;
  readonly replica: LocalReplica;
  readonly hints: HintKeeper;
  readonly antiEntropy: AntiEntropy;
  readonly engine: Engine;
  readonly topology: TopologyReplica;
  readonly clock: Clock;
  readonly routing: Routing;
  onCorrupt(namespaceId: number, key: Uint8Array): void;
  /** Of clients' requests at this node. */
  p99Ms(): number | undefined;
  report(): Promise<MemberReport>;
};

/** How long a scan waits for the topology that its asker knows. */
const CATCH_UP_MS = 1000;

/** What this member answers about whole partitions to the member `from`, which may be itself. */
export async function answerData(
  answerers: DataAnswerers,
  request: DataRequest,
  from: MemberId,
): Promise<DataReply> {
  switch (request.type) {
    case 'scan':
      return scanHere(request, SCAN_LIMITS, scanDeps(answerers));
    case 'bulk':
      return givePage(request, { ...answerers, fence: (at) => fence(answerers, at) });
    case 'report':
      return { type: 'report', report: await answerers.report() };
    case 'explain':
      return explainHere(answerers, request);
    case 'roots':
    case 'walk':
    case 'leaves':
    case 'round':
    case 'verify':
      return answerers.antiEntropy.answer(request, from);
  }
}

function scanDeps({ replica, engine, topology, clock, onCorrupt }: DataAnswerers): LocalScanDeps {
  return {
    engine,
    epochOf: (partition) => replica.owned(partition)?.epoch,
    topologyEpochOf: (partition) => topology.state?.partitions[partition]?.epoch ?? toEpoch(0),
    async waitForEpoch(epoch) {
      using wait = deadline(clock, CATCH_UP_MS);
      return await topology.waitFor((applied) => applied >= epoch, wait.signal);
    },
    onCorrupt: (storedKey) => onCorrupt(namespaceIdOf(storedKey), Uint8Array.from(userKeyOf(storedKey))),
  };
}

const NOTHING: Version = { wallMs: 0, counter: 0, member: 0 };
/** The floor and watermark of a partition before its first round. */
export const NOTHING_SEALED = { floor: NOTHING, watermark: NOTHING };

/** Who owns nothing of the key may keep hints for those that do. */
async function explainHere(answerers: DataAnswerers, request: ExplainRequest): Promise<DataReply> {
  const { replica, hints, antiEntropy, topology } = answerers;
  const { partition, namespaceId, key } = request;
  const owned = replica.owned(partition);
  const epoch = topology.state?.partitions[partition]?.epoch ?? toEpoch(0);
  const kept = await hints.ofKey({ partition, namespaceId, key });
  const report = (await owned?.report({ namespaceId, key })) ?? {
    ...{ epoch, version: undefined, isTombstone: false, expiresAtMs: undefined, bytes: 0, isCorrupt: false },
    ...{ ...NOTHING_SEALED, treeState: 'building' as const },
  };
  return { type: 'explain', ...report, hints: kept, lastExchange: antiEntropy.lastExchange(partition) };
}
