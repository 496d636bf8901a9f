import { type Epoch, toEpoch } from '../core/topology/types.ts';
import type { DataReply, ExplainRequest } from '../peer/data-messages.ts';
import type { DataAdmin, VerifyOutcome } from '../replication/data-admin.ts';
import { createCounters } from '../replication/links/counters.ts';
import { type LocalScanDeps, scanHere } from '../replication/scan/local-scan.ts';
import { KvError } from '../storage/errors.ts';
import { dataKey } from '../storage/key-layout.ts';
import type { Namespaces } from '../storage/namespaces.ts';
import { decodeRecord } from '../storage/record.ts';
import { NOTHING_SEALED } from './answer-data.ts';
import { createDataAdmin } from './data-admin.ts';
import type { DataServiceDeps } from './data-service.ts';
import { SCAN_LIMITS, scanOwn } from './scan-own.ts';

type Deps = DataServiceDeps & { readonly namespaces: Namespaces };

/** What can be told of data that has one replica: this node. */
export function aloneAdmin(deps: Deps): DataAdmin {
  const { clock, member, namespaces } = deps;
  const sets = () => member.topology.state?.partitions ?? [];
  return createDataAdmin({
    clock,
    self: member.number,
    topology: () => member.topology.state,
    isUp: (number) => member.isUp(number),
    requireNamespace: (name) => namespaces.require(name),
    explainAt: async (_to, request) => ({ type: 'reply', reply: await explainOwn(deps, request) }),
    verify: async () => equalToItself(member.number, member.options.name, sets().length),
    scanLocal: (name, query) => {
      const { id } = namespaces.require(name);
      const partitions = sets().map(({ epoch }, partition) => ({ partition, epoch }));
      return scanOwn(
        { clock, partitions, scan: (page) => scanHere(page, SCAN_LIMITS, scanDeps(deps)) },
        id,
        query,
      );
    },
    status: () => ({
      replica: { state: 'ok', reason: undefined },
      hints: { bytes: 0, count: 0, owners: [] },
      exchange: {
        lastRoundMs: undefined,
        partitions: sets().length,
        partitionsEqual: sets().length,
        keysRepaired: 0,
        bytesSent: 0,
      },
      trees: { ready: 0, building: 0 },
      links: createCounters(),
    }),
  });
}

function equalToItself(member: number, name: string, partitions: number): VerifyOutcome {
  return {
    ...{ partitions, equal: partitions, keysRepaired: 0, bytesSent: 0, unproven: [], problems: [] },
    members: [{ member, name, partitions, equal: partitions, error: undefined }],
  };
}

function scanDeps({ engine, member }: Deps): LocalScanDeps {
  const epochOf = (partition: number): Epoch =>
    member.topology.state?.partitions[partition]?.epoch ?? toEpoch(0);
  return {
    engine,
    epochOf,
    topologyEpochOf: epochOf,
    waitForEpoch: async () => true,
    onCorrupt() {},
  };
}

async function explainOwn({ engine }: Deps, request: ExplainRequest): Promise<DataReply> {
  const { partition, epoch, namespaceId, key } = request;
  const storedKey = dataKey({ partition, namespaceId, key });
  const stored = await engine.get(storedKey);
  const nothing = {
    version: undefined,
    isTombstone: false,
    expiresAtMs: undefined,
    bytes: 0,
    isCorrupt: false,
  };
  const common = {
    ...{ type: 'explain' as const, epoch, ...NOTHING_SEALED, hints: [], lastExchange: [] },
    treeState: 'ready' as const,
  };
  if (stored === undefined) return { ...common, ...nothing };
  try {
    const { version, isTombstone, expiresAtMs } = decodeRecord(storedKey, stored, key);
    return { ...common, version, isTombstone, expiresAtMs, bytes: stored.length, isCorrupt: false };
  } catch (error) {
    if (!(error instanceof KvError)) throw error;
    return { ...common, ...nothing, bytes: stored.length, isCorrupt: true };
  }
}
