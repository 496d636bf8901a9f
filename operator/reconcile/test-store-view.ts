import assert from 'node:assert/strict';
import type { NodeSeen, SettingsSeen, StoreSeen } from '../core/observation.ts';
import { upTo } from '../core/plan/test-observation.ts';
import { type Disk, TestStore } from '../core/plan/test-store.ts';
import {
  type BootstrapCall,
  type OperationCall,
  StoreRefusal,
  type StoreTarget,
  type StoreView,
} from '../store-view/store-view.ts';
import type { FakeKubelets } from '../testing/fake-kubelets.ts';

const ORDINALS_MAX = 10;

/** Whether it had its effect nobody knows. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

type OrdinalDisk = Disk & { readonly ordinal: number };

/** The store of one KVCluster, on the volumes and in the pods of a world. */
export class TestStoreView implements StoreView {
  inner: TestStore | undefined;
  /** Changes that an operator asked for. */
  changes = 0;
  made = 0;
  /** No data moves. */
  isBlocked = false;
  /** Called before (and after) each change; throws where the operator dies there. */
  onChange: (isDone: boolean) => void = () => undefined;
  /** By which settings a node says that it goes. */
  settingsOf: (ordinal: number) => SettingsSeen | undefined = () => undefined;
  readonly #kubelets: FakeKubelets;
  readonly #nowMs: () => number;
  /** By the UID of the claim. */
  readonly #disks = new Map<string, OrdinalDisk>();

  constructor(kubelets: FakeKubelets, nowMs: () => number) {
    this.#kubelets = kubelets;
    this.#nowMs = nowMs;
  }

  async look(_: StoreTarget): Promise<StoreSeen> {
    const running = upTo(ORDINALS_MAX).filter((ordinal) => this.#kubelets.isRunning(ordinal));
    const nodes = running.map((ordinal) => this.#nodeSeen(ordinal));
    const { inner } = this;
    const names = [...(inner?.members.values() ?? [])].map(({ name }) => name);
    return {
      nodes,
      topology: inner?.hasLeader ? inner.seen() : undefined,
      heard: nodes.some(({ state }) => state === 'member') ? names : [],
    };
  }

  async bootstrap(_: StoreTarget, call: BootstrapCall): Promise<void> {
    await this.#change(() => {
      const disk = this.#disk(ordinalOf(call.node));
      if (disk === undefined || !this.#kubelets.isRunning(ordinalOf(call.node)))
        throw new NoAnswer('no connection');
      if (disk.clusterId === call.clusterId) return;
      assert.equal(disk.clusterId, undefined, 'the node is of another cluster');
      this.made += 1;
      const { clusterId, replicationFactor: factor, partitions } = call;
      this.inner = new TestStore({ clusterId, factor, partitions }, (number) => this.isUp(number));
      this.inner.join(call.node, disk);
    });
  }

  async start(_: StoreTarget, call: OperationCall): Promise<void> {
    await this.#change(() => {
      const code =
        call.type === 'factor'
          ? this.inner?.changeFactor(call.replicationFactor)
          : call.type === 'drain'
            ? this.inner?.drain(call.member)
            : this.inner?.replace(call.member);
      if (code !== undefined) throw new StoreRefusal(code, `the store says ${code}`);
    });
  }

  async cancel(_: StoreTarget, operation: string): Promise<void> {
    await this.#change(() => {
      const number = Number(operation.replace(/^[a-z]+-/, ''));
      const member = this.inner?.members.get(number);
      if (member !== undefined) this.inner?.cancelDrain(member.name);
    });
  }

  async askToStop(_: StoreTarget, node: string, { isLook }: { readonly isLook: boolean }): Promise<void> {
    await this.#change(() => {
      const may = isLook ? true : this.inner?.canStop(node, this.#nowMs());
      if (!may) throw new StoreRefusal('CANNOT_STOP', `${node} is needed`);
    });
  }

  async setZone(_: StoreTarget, member: string, zone: string): Promise<void> {
    await this.#change(() => this.inner?.setZone(member, zone));
  }

  async forget(): Promise<void> {}

  step(): boolean {
    for (const ordinal of upTo(ORDINALS_MAX)) if (this.#stepNode(ordinal)) return true;
    return !this.isBlocked && this.inner?.progress() === true;
  }

  /** What `kvorum nodes prestop` waits for: nobody misses it, or the store gives its word. */
  mayStop(ordinal: number): boolean {
    const { inner } = this;
    const number = this.#kubelets.isRunning(ordinal) ? this.#disk(ordinal)?.number : undefined;
    if (inner === undefined || number === undefined || !inner.members.has(number) || !inner.hasLeader)
      return true;
    return (
      Math.min(inner.factor, inner.members.size) < 3 ||
      inner.canStop(this.#kubelets.podName(ordinal), this.#nowMs())
    );
  }

  #stepNode(ordinal: number): boolean {
    const disk = this.#kubelets.isRunning(ordinal) ? this.#disk(ordinal) : undefined;
    if (disk === undefined) return this.#kubelets.setReady(ordinal, false);
    const { inner } = this;
    const name = this.#kubelets.podName(ordinal);
    if (inner !== undefined && disk.clusterId === undefined && inner.join(name, disk)) return true;
    const number = disk.number ?? 0;
    const isReady = inner?.members.has(number) === true && inner.sets.length > 0;
    const hasChanged = this.#kubelets.setReady(ordinal, isReady);
    if (hasChanged && isReady) inner.started(number);
    return hasChanged;
  }

  isUp(number: number): boolean {
    for (const [uid, { number: own, ordinal }] of this.#disks)
      if (own === number && this.#kubelets.claim(ordinal)?.metadata.uid === uid)
        return this.#kubelets.isRunning(ordinal);
    return false;
  }

  /** Of the volume that the pod of this ordinal mounts. */
  #disk(ordinal: number): OrdinalDisk | undefined {
    const uid = this.#kubelets.claim(ordinal)?.metadata.uid;
    if (uid === undefined) return undefined;
    const disk = this.#disks.get(uid) ?? { directory: this.#disks.size, ordinal };
    this.#disks.set(uid, disk);
    return disk;
  }

  /** The number of the member that wrote on a volume. */
  memberOn(claimUid: string): number | undefined {
    return this.#disks.get(claimUid)?.number;
  }

  #nodeSeen(ordinal: number): NodeSeen {
    const { clusterId, number } = this.#disk(ordinal) ?? {};
    const isMember = number !== undefined && this.inner?.members.has(number) === true;
    const state = clusterId === undefined ? 'waiting' : isMember ? 'member' : 'excluded';
    const name = this.#kubelets.podName(ordinal);
    return { name, state, clusterId, settings: this.settingsOf(ordinal) };
  }

  async #change(change: () => void): Promise<void> {
    this.changes += 1;
    this.onChange(false);
    change();
    this.onChange(true);
  }
}

function ordinalOf(node: string): number {
  return Number(node.slice(node.lastIndexOf('-') + 1));
}
