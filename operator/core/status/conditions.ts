import type { Condition, ConditionType } from '../../api/kvcluster-status.ts';
import type { Observation, TopologySeen } from '../observation.ts';
import type { Concern, Note } from '../plan/finding.ts';
import {
  listed,
  memberNamed,
  neededReplicas,
  ordinalsTo,
  podAt,
  podMembers,
  podName,
} from '../plan/ordinals.ts';
import type { Plan } from '../plan/plan-next.ts';
import { outdatedPods } from '../plan/rollout.ts';

/** Status, reason and message of one condition; the rest of it depends on what it was before. */
export type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>;

/** All types that there are, always: who looks for one must not have to tell a missing one from a false one. */
export function conditionsOf(seen: Observation, plan: Plan): Readonly<Record<ConditionType, Verdict>> {
  return {
    Ready: ready(seen, plan),
    Progressing: progressing(seen, plan),
    Degraded: degraded(seen, plan),
    ScalingUp: scalingUp(seen, plan),
    ScalingDown: scalingDown(seen, plan),
    Upgrading: upgrading(seen, plan),
    Healing: healing(plan),
    Paused: paused(seen),
  };
}

const yes = (reason: string, message: string): Verdict => ({ status: 'True', reason, message });
const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });

/** Every key can be read and written: that, and not whether all pods are there. */
function ready(seen: Observation, plan: Plan): Verdict {
  const { topology } = seen.store;
  if (topology === undefined) return silent(seen, plan);
  const foreign = plan.refusals.find(({ reason }) => reason === 'OtherCluster');
  if (foreign !== undefined) return no(foreign.reason, foreign.message);
  if (!topology.isPlaced) return no('Forming', 'the partitions wait for enough members to be placed');
  const { partitionsLost, partitionsShort } = topology;
  if (partitionsLost > 0)
    return no('PartitionsLost', `${partitionsLost} partitions lack a majority of their replicas`);
  const missing = [
    ...listedTexts(awayTexts(seen, topology)),
    ...(partitionsShort > 0 ? [`${partitionsShort} partitions miss a replica`] : []),
  ];
  if (missing.length > 0) return yes('ServingWithoutAll', ['every key is served', ...missing].join('; '));
  return yes('Serving', 'every key is served, by all of its replicas');
}

/** Members that are not there as they ought to be; a pod whose node is no member yet holds nothing. */
function awayTexts(seen: Observation, topology: TopologySeen): readonly string[] {
  return podMembers(seen, topology).flatMap(({ ordinal, member }) => {
    const pod = podAt(seen, ordinal);
    if (pod === undefined) return [`${member.name} has no pod`];
    if (pod.isTerminating) return [`${member.name} is ending`];
    if (!member.isUp) return [`${member.name} is down`];
    return pod.isReady ? [] : [`${member.name} is not ready`];
  });
}

function listedTexts(texts: readonly string[]): readonly string[] {
  return texts.length === 0 ? [] : [listed(texts)];
}

/** Pods that are ready by their own word, and nobody who answers the operator: it cannot know. */
function silent({ store, pods }: Observation, plan: Plan): Verdict {
  const note = [...plan.refusals, ...plan.waits].find(
    ({ concern }) => concern === 'store' || concern === 'start',
  );
  const message = note?.message ?? plan.message;
  if (store.nodes.length === 0 && pods.some(({ isReady }) => isReady))
    return { status: 'Unknown', reason: 'StoreUnreachable', message: `pods are ready, but ${message}` };
  return no(note?.reason ?? 'NotStarted', message);
}

function progressing({ cluster }: Observation, { act, message, waits, refusals }: Plan): Verdict {
  if (cluster.wish.isPaused && !cluster.isDeleting) return no('Paused', message);
  if (act !== undefined) return yes(camelCase(act.type), message);
  const [wait] = waits;
  if (wait !== undefined) return yes(wait.reason, wait.message);
  const [refusal] = refusals;
  return refusal === undefined ? no('AsWished', message) : no(refusal.reason, refusal.message);
}

/** What is wrong, though keys may be served; that something that was asked for is not done is told where it belongs. */
function degraded({ store }: Observation, { refusals, waits }: Plan): Verdict {
  const [refusal] = refusals.filter(({ concern }) => concern !== 'scale');
  if (refusal !== undefined) return yes(refusal.reason, refusal.message);
  const lost = store.topology?.partitionsLost ?? 0;
  if (lost > 0) return yes('PartitionsLost', `${lost} partitions lack a majority of their replicas`);
  const [missing] = waits.filter(({ concern }) => concern === 'heal' || concern === 'store');
  return missing === undefined ? no('AllWell', 'nothing is missing') : yes(missing.reason, missing.message);
}

function scalingUp(seen: Observation, plan: Plan): Verdict {
  const { topology } = seen.store;
  const { replicas } = seen.cluster.wish;
  const missing = ordinalsTo(replicas).filter(
    (ordinal) => topology === undefined || memberNamed(topology, podName(seen, ordinal)) === undefined,
  );
  const isShort = (seen.statefulSet?.replicas ?? 0) < replicas;
  if (!isShort && (topology === undefined || missing.length === 0)) return moving(plan);
  const message = `${replicas - missing.length} of ${replicas} are members`;
  return yes('MembersJoin', [message, ...messagesOf(plan, 'scale')].join('; '));
}

/** The pods are there; whether the data is shows a rebalance. */
function moving({ waits }: Plan): Verdict {
  const note = waits.find(
    ({ concern, reason }) => concern === 'scale' && (reason === 'Moving' || reason === 'RebalanceDue'),
  );
  return note === undefined ? no('AsWished', 'no more members are wanted') : yes('Rebalancing', note.message);
}

function scalingDown(seen: Observation, plan: Plan): Verdict {
  const { topology } = seen.store;
  const { replicas } = seen.cluster.wish;
  const present = Math.max(
    seen.statefulSet?.replicas ?? 0,
    topology === undefined ? 0 : neededReplicas(seen, topology),
  );
  if (present <= replicas) return no('AsWished', 'no fewer members are wanted');
  const refusal = refusalOf(plan, 'scale');
  if (refusal !== undefined) return no(refusal.reason, refusal.message);
  const message = `from ${present} to ${replicas} members`;
  return yes('MembersLeave', [message, ...messagesOf(plan, 'scale')].join('; '));
}

function upgrading(seen: Observation, plan: Plan): Verdict {
  const left = outdatedPods(seen).length;
  const refusal = refusalOf(plan, 'upgrade');
  if (refusal !== undefined) return no(refusal.reason, refusal.message);
  if (left === 0) return settingsChanging(plan);
  const { replicas } = seen.cluster.wish;
  const message = `${replicas - left} of ${replicas} pods are made of the present spec`;
  return yes('PodsRestart', [message, ...messagesOf(plan, 'upgrade')].join('; '));
}

/** Nobody restarts for it. */
function settingsChanging({ waits }: Plan): Verdict {
  const note = waits.find(({ reason }) => reason === 'WaitingForSettings');
  return note === undefined
    ? no('AsWished', 'all pods are made of the present spec')
    : yes('SettingsChange', note.message);
}

function healing(plan: Plan): Verdict {
  const refusal = refusalOf(plan, 'heal');
  if (refusal !== undefined) return no(refusal.reason, refusal.message);
  const [note] = plan.waits.filter(({ concern }) => concern === 'heal');
  if (note !== undefined) return yes(note.reason, note.message);
  return no('AllWell', 'nothing is missing');
}

function paused({ cluster }: Observation): Verdict {
  return cluster.wish.isPaused
    ? yes('Paused', 'spec.paused is true: nothing is changed until it is false')
    : no('NotPaused', 'spec.paused is false');
}

function refusalOf({ refusals }: Plan, concern: Concern): Note | undefined {
  return refusals.find((note) => note.concern === concern);
}

function messagesOf({ waits, refusals }: Plan, concern: Concern): readonly string[] {
  return [...refusals, ...waits].filter((note) => note.concern === concern).map(({ message }) => message);
}

/** `set-replicas` becomes `SetReplicas`. */
export function camelCase(text: string): string {
  return text.replace(/(?:^|[-_ ]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
