import assert from 'node:assert/strict';
import type { Observation, Wish } from '../observation.ts';
import type { Act, Refusal } from './act.ts';
import { CLUSTER_ID, NOW_MS, upTo, WISH } from './test-observation.ts';
import { type Disk, TestStore } from './test-store.ts';

const STEP_MS = 5000;

export type SimPod = {
  readonly uid: string;
  readonly hash: string;
  readonly claimUid: string;
  readonly sinceMs: number;
  isRunning: boolean;
  isTerminating: boolean;
  isOrphan: boolean;
};
export type SimClaim = {
  readonly uid: string;
  readonly disk: Disk;
  left: string | undefined;
  bytes: number;
  isTerminating: boolean;
  isLost: boolean;
};
type SimSet = {
  readonly uid: string;
  replicas: number;
  hash: string;
  podHash: string;
  bytes: number;
  isObserved: boolean;
};

/**
 * Pods, volumes, a StatefulSet controller, kubelets and a store, each of which takes one step at a time in any order; acts of a plan change it under
 * their preconditions. What must never happen is asserted where it would.
 */
export class TestWorld {
  nowMs = NOW_MS;
  wish: Wish = WISH;
  /** What pods are made of; one that begins with `broken` does not run. */
  image = 'v1';
  child = 'c1';
  clusterId: string | undefined;
  hasLived = false;
  hasFinalizer = false;
  isDeleting = false;
  knownMembers: { name: string; number: number }[] = [];
  set: SimSet | undefined;
  readonly pods = new Map<number, SimPod>();
  readonly claims = new Map<number, SimClaim>();
  store: TestStore | undefined;
  clustersMade = 0;
  /** Acts that changed something, by type. */
  readonly done = new Map<string, number>();
  /** What the child was made of when it was applied. */
  childSeen: string | undefined;
  #uids = 0;

  /** What a reconcile writes at its end; an operator that dies before does not. */
  writeStatus({ store }: Observation): void {
    if (store.topology === undefined) return;
    this.hasLived = true;
    this.knownMembers = store.topology.members.map(({ name, number }) => ({ name, number }));
  }

  /** `half`: the operator dies within it. Undefined where it was done, or found something else than it was planned for. */
  apply(act: Act, half = false): Refusal | undefined {
    const code = this.#apply(act, half);
    if (code !== undefined) return { act, code, message: code };
    this.done.set(act.type, (this.done.get(act.type) ?? 0) + 1);
    return undefined;
  }

  #apply(act: Act, half: boolean): string | undefined {
    switch (act.type) {
      case 'record-cluster-id':
        this.clusterId ??= act.clusterId ?? CLUSTER_ID;
        return undefined;
      case 'set-finalizer':
        this.hasFinalizer = act.isWanted;
        return undefined;
      case 'apply-child':
        this.childSeen = this.child;
        return undefined;
      case 'apply-stateful-set':
        return this.#applySet(act.replicas);
      case 'orphan-stateful-set':
        assert.ok(this.hasFinalizer, 'pods that nobody has are left behind where the cluster is deleted now');
        this.set = undefined;
        for (const pod of this.pods.values()) pod.isOrphan = true;
        return undefined;
      case 'delete-stateful-set':
        assert.ok(this.isDeleting, 'the StatefulSet is deleted with its pods only when the cluster is');
        this.#endSet();
        return undefined;
      case 'set-replicas':
        return this.#setReplicas(act);
      case 'mark-claim':
        return this.#onClaim(act.claim, act.uid, (claim) => {
          claim.left = act.left;
        });
      case 'expand-claim':
        return this.#onClaim(act.claim, act.uid, (claim) => {
          claim.bytes = act.bytes;
        });
      case 'delete-claim':
        return this.#deleteClaim(act);
      case 'restart-pod':
        return this.#restart(act);
      case 'end-pod': {
        assert.ok(this.isDeleting, 'pods are let go only with their cluster');
        const pod = [...this.pods.values()].find(({ uid }) => uid === act.uid);
        if (pod !== undefined) pod.isTerminating = true;
        return undefined;
      }
      case 'replace-volume':
        return this.#replaceVolume(act, half);
      case 'bootstrap':
        return this.#bootstrap(act);
      case 'drain':
        return this.store?.drain(act.member);
      case 'cancel-drain':
        this.store?.cancelDrain(act.member);
        return undefined;
      case 'replace-member':
        return this.store?.replace(act.member);
      case 'change-factor':
        return this.store?.changeFactor(act.replicationFactor);
      case 'delete-child':
      case 'adopt-claim':
      case 'delete-lost-pod':
      case 'set-zone':
        throw new Error(`${act.type} is not of this world`);
    }
  }

  /** Its pods go with it, those that it has. */
  #endSet(): void {
    this.set = undefined;
    for (const pod of this.pods.values()) if (!pod.isOrphan) pod.isTerminating = true;
  }

  /** The KVCluster is gone, and with it what it has. */
  collect(): void {
    assert.ok(this.isDeleting && !this.hasFinalizer);
    this.#endSet();
  }

  #applySet(replicas: number): undefined {
    const common = {
      hash: this.setHash(),
      podHash: this.image,
      bytes: this.wish.storageBytes,
      isObserved: false,
    };
    if (this.set === undefined) this.set = { uid: this.#uid('set'), replicas, ...common };
    else if (this.set.bytes === this.wish.storageBytes) Object.assign(this.set, common, { replicas });
  }

  setHash(): string {
    return `${this.image}/${this.wish.storageBytes}`;
  }

  #setReplicas({ from, to }: { readonly from: number; readonly to: number }): undefined {
    if (this.set?.replicas !== from) return;
    for (const ordinal of upTo(from).slice(to)) this.#assertGone(ordinal);
    this.set.replicas = to;
    this.set.isObserved = false;
  }

  /** Nothing is lost with the pod of this ordinal. */
  #assertGone(ordinal: number): void {
    const number = this.claims.get(ordinal)?.disk.number;
    if (number === undefined || this.store === undefined) return;
    assert.equal(this.store.loadOf(number), 0, `kv-${ordinal} holds data, and its pod is let go`);
  }

  #deleteClaim({ claim: name, uid, why }: Extract<Act, { type: 'delete-claim' }>): undefined {
    return this.#onClaim(name, uid, (claim, ordinal) => {
      if (why === 'cluster-deleted') assert.ok(this.isDeleting && this.wish.whenDeleted === 'Delete');
      else this.#assertNoMember(ordinal, claim);
      assert.equal(this.pods.get(ordinal), undefined, `${name} is deleted under its pod`);
      claim.isTerminating = true;
    });
  }

  #assertNoMember(ordinal: number, { disk }: SimClaim): void {
    const isMember = disk.number !== undefined && this.store?.members.has(disk.number);
    assert.ok(!isMember, `the volume of kv-${ordinal} is deleted, which has not left`);
    const own = disk.number === undefined ? 0 : (this.store?.loadOf(disk.number) ?? 0);
    assert.equal(own, 0, `the volume of kv-${ordinal} is deleted, and still counted on`);
  }

  #replaceVolume(act: Extract<Act, { type: 'replace-volume' }>, half: boolean): undefined {
    this.#onClaim(act.claim, act.claimUid, (claim, ordinal) => {
      const { number } = claim.disk;
      const of = this.store?.sets.filter((set) => number !== undefined && set.includes(number)) ?? [];
      const isKept = of.every(
        (set) => set.filter((n) => n !== number && this.isUp(n)).length * 2 > set.length,
      );
      if (claim.isLost) assert.ok(isKept, `kv-${ordinal} is given up, and others need it`);
      else this.#assertNoMember(ordinal, claim);
      claim.isTerminating = true;
      const pod = this.pods.get(ordinal);
      if (!half && pod?.uid === act.podUid) pod.isTerminating = true;
    });
    return undefined;
  }

  #restart({ pod: name, uid, gate }: Extract<Act, { type: 'restart-pod' }>): string | undefined {
    const ordinal = Number(name.slice(3));
    const pod = this.pods.get(ordinal);
    if (pod?.uid !== uid || pod.isTerminating) return undefined;
    const number = this.numberOf(ordinal);
    const { store } = this;
    if (gate === 'can-stop' && !store?.canStop(name, this.nowMs)) return 'CannotStop';
    if (gate === 'pause') assert.ok(Math.min(store?.factor ?? 1, store?.members.size ?? 1) < 3);
    if (gate === 'none' && store?.hasLeader === true && number !== undefined)
      assert.equal(
        store.loadOf(number) > 0 && this.isUp(number),
        false,
        `${name} serves, and nobody was asked`,
      );
    const lostBefore = this.#lost();
    pod.isTerminating = true;
    pod.isRunning = false;
    if (gate === 'can-stop')
      assert.equal(this.#lost(), lostBefore, `${name} is stopped, and quorums are lost`);
    return undefined;
  }

  #bootstrap({
    node,
    clusterId,
    replicationFactor,
    partitions,
  }: Extract<Act, { type: 'bootstrap' }>): undefined {
    const disk = this.claims.get(Number(node.slice(3)))?.disk;
    if (this.pods.get(0)?.isRunning !== true || disk === undefined) return;
    if (disk.clusterId === clusterId) return;
    this.clustersMade += 1;
    assert.equal(this.clustersMade, 1, 'a second cluster is made');
    assert.equal(this.clusterId, clusterId, 'the id was not written down before');
    this.store = new TestStore({ clusterId, factor: replicationFactor, partitions }, (number) =>
      this.isUp(number),
    );
    this.store.join(node, disk);
  }

  #onClaim(name: string, uid: string, change: (claim: SimClaim, ordinal: number) => void): undefined {
    const ordinal = Number(name.slice('data-kv-'.length));
    const claim = this.claims.get(ordinal);
    if (claim?.uid === uid) change(claim, ordinal);
  }

  #lost(): number {
    return this.store?.sets.filter((set) => this.store?.isLost(set)).length ?? 0;
  }

  /** Everything but the operator, step by step; true where something changed. */
  readonly steps: readonly (() => boolean)[] = [
    () => this.#observeSet(),
    () => this.#endPods(),
    () => this.#endClaims(),
    () => this.#makePods(),
    () => this.#runPods(),
    () => this.#joinNodes(),
    () => this.store?.progress() ?? false,
  ];

  step(index: number): boolean {
    this.nowMs += STEP_MS;
    return this.steps[index % this.steps.length]?.() ?? false;
  }

  #observeSet(): boolean {
    if (this.set === undefined || this.set.isObserved) return false;
    this.set.isObserved = true;
    return true;
  }

  #endPods(): boolean {
    const { set } = this;
    for (const [ordinal, pod] of this.pods)
      if (set?.isObserved && ordinal >= set.replicas && !pod.isTerminating) {
        pod.isTerminating = true;
        pod.isRunning = false;
        return true;
      }
    const ending = [...this.pods].find(([, { isTerminating }]) => isTerminating);
    return ending !== undefined && this.pods.delete(ending[0]);
  }

  #endClaims(): boolean {
    const free = [...this.claims].find(([ordinal, claim]) => claim.isTerminating && !this.pods.has(ordinal));
    return free !== undefined && this.claims.delete(free[0]);
  }

  #makePods(): boolean {
    const { set } = this;
    if (!set?.isObserved) return false;
    const orphan = [...this.pods.values()].find((pod) => pod.isOrphan && !pod.isTerminating);
    if (orphan !== undefined) {
      orphan.isOrphan = false;
      return true;
    }
    const missing = upTo(set.replicas).find((i) => !this.pods.has(i) && !this.claims.get(i)?.isTerminating);
    if (missing === undefined) return false;
    const claim = this.claims.get(missing) ?? this.#makeClaim(missing, set.bytes);
    const uid = this.#uid('pod');
    const common = { isRunning: false, isTerminating: false, isOrphan: false, sinceMs: this.nowMs };
    this.pods.set(missing, { uid, hash: set.podHash, claimUid: claim.uid, ...common });
    return true;
  }

  #makeClaim(ordinal: number, bytes: number): SimClaim {
    this.#uids += 1;
    const disk = { directory: this.#uids };
    const claim = {
      uid: this.#uid('claim'),
      disk,
      left: undefined,
      bytes,
      isTerminating: false,
      isLost: false,
    };
    this.claims.set(ordinal, claim);
    return claim;
  }

  #runPods(): boolean {
    const next = [...this.pods].find(([ordinal, pod]) => {
      const isLost = this.claims.get(ordinal)?.isLost === true;
      return !pod.isRunning && !pod.isTerminating && !isLost && !pod.hash.startsWith('broken');
    });
    if (next === undefined) return false;
    next[1].isRunning = true;
    const number = this.numberOf(next[0]);
    if (number !== undefined) this.store?.started(number);
    return true;
  }

  #joinNodes(): boolean {
    const { store } = this;
    if (store === undefined) return false;
    for (const [ordinal, pod] of this.pods) {
      const disk = this.claims.get(ordinal)?.disk;
      if (pod.isRunning && disk !== undefined && disk.clusterId === undefined)
        if (store.join(`kv-${ordinal}`, disk)) return true;
    }
    return false;
  }

  numberOf(ordinal: number): number | undefined {
    return this.claims.get(ordinal)?.disk.number;
  }

  isUp(number: number): boolean {
    for (const [ordinal, pod] of this.pods)
      if (pod.isRunning && this.numberOf(ordinal) === number) return this.store?.members.has(number) === true;
    return false;
  }

  /** A fault that a cluster of three replicas survives; a member whose pod is being let go, since it came too late, is one already. */
  fail(kind: number, ordinal: number): void {
    const pod = this.pods.get(ordinal);
    const claim = this.claims.get(ordinal);
    const isSettled = [...this.pods.keys()].every((each) => each < (this.set?.replicas ?? 0));
    const mayLose = isSettled && this.store?.isWhole === true && this.store.factor >= 3;
    if (pod === undefined || claim === undefined || !mayLose) return;
    pod.isRunning = false;
    if (kind % 4 === 0) return; // its process was killed
    pod.isTerminating = true;
    if (kind % 4 === 2) claim.isTerminating = true;
    if (kind % 4 === 3) claim.isLost = true;
  }

  #uid(what: string): string {
    this.#uids += 1;
    return `${what}-${this.#uids}`;
  }
}
