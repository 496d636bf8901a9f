import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../config/resolve-config.ts';
import type { Config } from '../config/settings.ts';
import { partitionOf } from '../core/ring/slot.ts';
import { createIsolatedTransport } from '../ports/isolated-transport.ts';
import { MemoryDisk } from '../sim/memory-disk.ts';
import { MemoryEngine } from '../sim/memory-engine.ts';
import { SimClock } from '../sim/sim-clock.ts';
import { createSimRandom } from '../sim/sim-random.ts';
import { dataKey } from '../storage/key-layout.ts';
import { createMetaStore } from '../storage/meta-store.ts';
import { startSpaceGuard } from '../storage/space-guard.ts';
import { NO_DATA_EVENTS } from './data-events.ts';
import type { DataService, DataServiceDeps } from './data-service.ts';
import { startReplicatedService } from './replicated-service.ts';
import { type KvorumNode, startNode } from './start-node.ts';

const PARTITIONS = 8;
const CONFIG: Config = {
  ...resolveConfig({ environment: {}, flags: [] }).config,
  'cluster.bootstrap': true,
  'cluster.replicationFactor': 1,
  'cluster.partitions': PARTITIONS,
  'storage.reserveBytes': 0,
};
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A member that holds all partitions, and beside its own service of the data a replicated one over the same disk. */
class World {
  readonly clock = new SimClock(Date.UTC(2026, 0, 1));
  readonly random = createSimRandom(1);
  readonly disk = new MemoryDisk({ capacityBytes: 1 << 30 }, { clock: this.clock, random: this.random });
  readonly engine = new MemoryEngine({ groupBytesMax: 1 << 20 }, { disk: this.disk });
  readonly transport = createIsolatedTransport();
  readonly errors: unknown[] = [];
  readonly defer = (work: () => void): void => void Promise.resolve().then(work);
  corrupt = 0;

  /** Lets the disk, and what waits for it, get on. */
  async turn(): Promise<void> {
    this.clock.advance(1);
    await new Promise(setImmediate);
  }

  startNode(): Promise<KvorumNode> {
    const { clock, random, engine, transport, defer } = this;
    const ports = { clock, random, engine, transport, defer, resolver: { resolve: async () => [] } };
    return startNode(CONFIG, ports, {
      onStorageFailed: (error) => this.errors.push(error),
      onReaped() {},
      onBackgroundError: (error) => this.errors.push(error),
      onConsensusFailed: (error) => this.errors.push(error),
      onNotice() {},
      onRefused() {},
      onProposed() {},
      onPhase() {},
    });
  }

  async startReplicated(node: KvorumNode): Promise<DataService> {
    const { clock, random, engine, transport, defer } = this;
    const { member } = node.internals;
    assert.ok(member !== undefined);
    const deps: DataServiceDeps = {
      ...{ config: CONFIG, member, cluster: node.cluster, engine, meta: createMetaStore(engine) },
      ...{ clock, random, transport, defer },
      space: await startSpaceGuard(
        { reserveBytes: 0, checkIntervalMs: 1000 },
        { clock, freeBytes: () => engine.freeBytes() },
      ),
      signal: new AbortController().signal,
      engineFailure: () => undefined,
      events: {
        ...NO_DATA_EVENTS,
        onCorrupt: () => {
          this.corrupt += 1;
        },
      },
      onReaped() {},
      onError: (error) => this.errors.push(error),
    };
    return await startReplicatedService(deps);
  }
}

test('a damaged record that is found before the service is whole does not end the node', async () => {
  const world = new World();
  const node = await world.startNode();
  const key = bytes('k');
  await node.store.put('default', key, { value: bytes('v') });
  const namespaceId = node.store.getNamespace('default')?.id ?? 0;
  assert.ok(world.disk.corrupt(dataKey({ partition: partitionOf(key, PARTITIONS), namespaceId, key })));
  world.disk.faults.syncDelayMs = 5;
  const starting = world.startReplicated(node);
  while (world.corrupt === 0) await world.turn();
  const services: DataService[] = [];
  starting.then((service) => services.push(service), assert.fail);
  assert.equal(services.length, 0, 'the disk is still asked for the promises of the partitions');
  while (services.length === 0) await world.turn();
  assert.equal(services[0]?.readiness().ok, true);
  assert.deepEqual(world.errors, []);
});
