import { type Mutant, mutant } from '../../store/sim/mutants/mutant.ts';

const PLAN = 'operator/core/plan';
const ACTS = 'operator/reconcile/acts';
const SCALE_TEST = `${PLAN}/scale.test.ts`;
const ROLLOUT_TEST = `${PLAN}/rollout.test.ts`;
const LATE_CALLS_TEST = 'operator/reconcile/late-calls.test.ts';
const RECONCILER_TEST = 'operator/reconcile/reconciler.test.ts';

/** Rules of the operator, each of which the simulation notices the lack of. */
export const OPERATOR_MUTANTS: readonly Mutant[] = [
  mutant(
    'bootstrap-under-another-id',
    'the id of the cluster is in the status before the cluster is made',
    `${ACTS}/store-acts.ts`,
    'await store.bootstrap(seen.target, call);',
    "await store.bootstrap(seen.target, { ...call, clusterId: 'f'.repeat(32) });",
  ),
  {
    name: 'replicas-before-the-drain',
    rule: 'there are as many pods as members, and none is let go before its volume is marked or while it may join',
    edits: [
      {
        file: `${PLAN}/replicas.ts`,
        from: 'const to = neededReplicas(seen, topology);',
        to: 'const to = seen.cluster.wish.replicas;',
      },
      { file: `${PLAN}/replicas.ts`, from: 'if (unmarked) return', to: 'if (!unmarked && unmarked) return' },
      {
        file: `${PLAN}/replicas.ts`,
        from: 'if (joining.length > 0) return',
        to: 'if (joining.length < 0) return',
      },
    ],
  },
  mutant(
    'stopped-without-a-word',
    'a pod that serves is stopped once the store says that it may be',
    `${ACTS}/pod-acts.ts`,
    "if (gate === 'can-stop') await",
    "if (gate === 'none') await",
  ),
  mutant(
    'volume-of-one-that-is-away',
    'a volume is given up when it is lost, and not when its member is away',
    `${PLAN}/lost-volumes.ts`,
    'return claim.isLost || (claim.isTerminating && pod.node === undefined);',
    'return true;',
  ),
  mutant(
    'pause-ignored',
    'paused means hands off',
    `${PLAN}/plan-next.ts`,
    '  deletion,\n  pause,\n',
    '  deletion,\n',
  ),
  mutant(
    'lease-taken-from-its-holder',
    'a lease is taken when its holder has not renewed it for as long as it promised to',
    'operator/kube/lease-elector.ts',
    'if (holder && !this.#isOver(sentMs)) return undefined;',
    '',
  ),
  mutant(
    'status-written-always',
    'nothing is written where nothing is different',
    'operator/core/status/status-of.ts',
    'return a !== undefined && isSame(a, b);',
    'return false;',
  ),
  mutant(
    'pods-left-without-a-finalizer',
    'a finalizer holds a KVCluster while no StatefulSet has its pods',
    `${PLAN}/deletion.ts`,
    'const isWanted = isVolumes || isSet;',
    'const isWanted = isVolumes;',
  ),
  mutant(
    'edited-set-left-alone',
    'what somebody edited in the StatefulSet is set back',
    'operator/reconcile/observe.ts',
    'kind, there) ? hash : EDITED;',
    "kind, there) || kind === 'StatefulSet' ? hash : EDITED;",
  ),
  mutant(
    'drain-not-cancelled',
    'turned round half way, who stays keeps its data',
    `${PLAN}/plan-next.ts`,
    '  withTopology(cancelDrains),\n',
    '',
  ),
  mutant(
    'pod-by-its-last-number',
    'pods and volumes are those of the name and a number, and of no other KVCluster',
    'operator/reconcile/observe.ts',
    'return /^(0|[1-9][0-9]{0,5})$/.test(rest) ? Number(rest) : undefined;',
    "return /(^|-)[0-9]+$/.test(rest) ? Number(rest.slice(rest.lastIndexOf('-') + 1)) : undefined;",
  ),
  {
    name: 'child-by-its-label-alone',
    rule: 'what is labelled as of this KVCluster and belongs to another one is left alone',
    edits: [
      {
        file: `${PLAN}/children.ts`,
        from: "return owner === 'this' ? [act('children', message, { type: 'delete-child', kind, name })] : [];",
        to: "return [act('children', message, { type: 'delete-child', kind, name })];",
      },
      {
        file: `${ACTS}/child-acts.ts`,
        from: 'if (live === undefined || !isOurs) return;',
        to: 'if (live === undefined) return;',
      },
    ],
  },
  mutant(
    'failing-one-keeps-others-waiting',
    'a KVCluster whose work fails keeps no other one waiting',
    'operator/kube/work-queue.ts',
    'const taker = this.#takers.shift();',
    'if ([...this.#failures.keys()].some((other) => other !== key)) continue;\n      const taker = this.#takers.shift();',
  ),
  mutant(
    'failing-one-delays-others',
    'a KVCluster whose work fails makes no other one late',
    'operator/kube/work-queue.ts',
    '      taker(key);',
    '      if ([...this.#failures.keys()].every((other) => other === key)) taker(key);\n      else this.#clock.setTimer(35_000, () => taker(key));',
  ),
  mutant(
    'stranger-overwritten',
    'what belongs to somebody else is left alone and told of',
    `${PLAN}/plan-next.ts`,
    '  strangers,\n  remains,',
    '  remains,',
  ),
  mutant(
    'stranger-without-labels',
    'what stands under a wanted name is seen, whatever its labels say',
    'operator/reconcile/observe.ts',
    '[...labelled, ...(await unlabelled(cluster, wanted, labelled, view))]',
    '[...labelled]',
  ),
  mutant(
    'name-of-anothers-service',
    'no KVCluster has the name of the Service between the pods of another one',
    `${PLAN}/plan-next.ts`,
    '  reservedName,\n  strangers,',
    '  strangers,',
  ),
  mutant(
    'zones-not-told',
    'members are told the zones of the nodes that their pods run on',
    `${PLAN}/plan-next.ts`,
    '  withTopology(zones),\n',
    '',
  ),
  mutant(
    'replaced-under-manual',
    'a volume that is lost is left to people where the policy says so',
    `${PLAN}/lost-volumes.ts`,
    "if (mode === 'Manual') {",
    "if (mode === ('Never' as string)) {",
  ),
  mutant(
    'replaced-before-the-time',
    'a volume that is lost is replaced after the time of the policy',
    `${PLAN}/lost-volumes.ts`,
    'if (leftMs > 0) {',
    'if (leftMs > 1e12) {',
  ),
  mutant(
    'pods-of-silent-nodes-ended',
    'a pod is ended at once when its node is no object any more, and not when that is silent',
    'operator/reconcile/pod-seen.ts',
    'facts.nodes !== undefined && nodeObject === undefined,',
    "facts.nodes !== undefined && nodeObject?.status?.conditions?.[0]?.status !== 'True',",
  ),
  // What it takes to see these broken is too rare to come up by chance, or something else saves the day.
  {
    ...mutant(
      'leader-that-stood-still',
      'whoever stood still asks its clock whether it still leads before it changes anything',
      'operator/kube/kube-client.ts',
      "if (request.method !== 'GET') mayWrite();",
      '',
    ),
    test: 'operator/kube/kube-client.test.ts',
  },
  {
    name: 'claim-deleted-without-asking',
    rule: 'a volume is deleted once the leader says that its member has left, whatever stands on the volume',
    edits: [
      {
        file: `${PLAN}/claims.ts`,
        from: 'if (why === undefined || memberNamed(topology, podName(seen, claim.ordinal)) !== undefined) return [];',
        to: 'if (why === undefined) return [];',
      },
      {
        file: `${PLAN}/claims.ts`,
        from: 'if (left === undefined || statefulSet === undefined ||',
        to: 'if (statefulSet === undefined ||',
      },
    ],
    test: SCALE_TEST,
  },
  {
    ...mutant(
      'two-pods-at-once',
      'a pod is restarted once the one before it is back',
      `${PLAN}/rollout.ts`,
      'if (away.length === 0) return undefined;',
      'if (away.length >= 0) return undefined;',
    ),
    test: ROLLOUT_TEST,
  },
  {
    ...mutant(
      'volumes-from-the-top',
      'a volume that is known by its name alone goes before those with higher ordinals, which tell of it',
      `${PLAN}/deletion.ts`,
      'a.ordinal - b.ordinal',
      'b.ordinal - a.ordinal',
    ),
    test: `${PLAN}/deletion.test.ts`,
  },
  {
    ...mutant(
      'left-volume-started-on',
      'a pod does not start on the volume of a member that left',
      `${PLAN}/claims.ts`,
      'return hasLeft || claim.isTerminating;',
      'return claim.isTerminating;',
    ),
    test: SCALE_TEST,
  },
  {
    ...mutant(
      'acts-from-the-cache',
      'what is done follows from a live look',
      'operator/reconcile/reconciler.ts',
      'await this.#look(raw, liveView(client, signal))',
      'await this.#look(raw, cached)',
    ),
    test: RECONCILER_TEST,
  },
  {
    ...mutant(
      'pod-by-its-name-alone',
      'the pod that is stopped is the one that was seen',
      `${ACTS}/pod-acts.ts`,
      'await removePod(context, pod, { uid, resourceVersion: version });',
      'await removePod(context, pod, {} as { uid: string });',
    ),
    test: LATE_CALLS_TEST,
  },
  {
    ...mutant(
      'pod-that-came-back',
      'the pod that is stopped is as it was seen when the store gave its word',
      `${ACTS}/pod-acts.ts`,
      'await removePod(context, pod, { uid, resourceVersion: version });',
      'await removePod(context, pod, { uid });',
    ),
    test: LATE_CALLS_TEST,
  },
  {
    ...mutant(
      'pod-that-joined',
      'pods are let go as the StatefulSet was seen when they held nothing',
      `${ACTS}/child-acts.ts`,
      '{ uid: act.uid, resourceVersion: act.version }',
      '{ uid: act.uid }',
    ),
    test: LATE_CALLS_TEST,
  },
  {
    ...mutant(
      'volume-that-came-back',
      'a volume is replaced as its pod was seen when it was lost',
      `${ACTS}/claim-acts.ts`,
      'if (pod?.metadata.resourceVersion !== act.podVersion) return;',
      '',
    ),
    test: LATE_CALLS_TEST,
  },
  {
    ...mutant(
      'part-of-a-cluster-left',
      'volumes of an earlier KVCluster that are to be taken over go with the one that has begun to',
      `${PLAN}/deletion.ts`,
      'if (untaken !== undefined)',
      'if (untaken === null)',
    ),
    test: `${PLAN}/deletion.test.ts`,
  },
  {
    ...mutant(
      'volume-that-follows-its-pod',
      'a volume is lost with its node when it is what keeps its pod from another one',
      'operator/reconcile/claim-seen.ts',
      'return isNodeGone && pods.some(isHeldByVolume);',
      'return isNodeGone;',
    ),
    test: 'operator/reconcile/claim-seen.test.ts',
  },
  {
    name: 'nodes-before-pods',
    rule: 'a pod on a node that came while the operator looked is on no node that is gone',
    edits: [
      {
        file: 'operator/reconcile/observe.ts',
        from: 'const [[found, family], labelled] = await Promise.all([',
        to: 'const early = await view.list(nodes, undefined);\n    const [[found, family], labelled] = await Promise.all([',
      },
      {
        file: 'operator/reconcile/observe.ts',
        from: 'const allNodes = this.#options.canReadNodes ? await view.list(nodes, undefined) : undefined;',
        to: 'const allNodes = this.#options.canReadNodes ? early : undefined;',
      },
    ],
    test: 'operator/reconcile/observe.test.ts',
  },
];
