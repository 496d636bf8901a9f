import type { KVCluster } from '../api/kvcluster.ts';
import { isRestartNeeded } from '../children/hash.ts';
import { ANNOTATIONS, CONTAINER } from '../children/names.ts';
import type { PodSeen } from '../core/observation.ts';
import type { Node, Pod } from '../kube/resources.ts';

/** Reasons to wait that pass by themselves. */
const STARTING = new Set(['ContainerCreating', 'PodInitializing']);
const MESSAGE_CHARS_MAX = 300;

export type PodFacts = {
  readonly cluster: KVCluster;
  /** Of the cluster, as it is wished (hash.ts). */
  readonly restartHash: string;
  /** Undefined where nodes may not be read. */
  readonly nodes: readonly Node[] | undefined;
  /** Label of pods and nodes. */
  readonly zoneLabel: string;
  readonly claimName: string;
};

export function podSeen(pod: Pod, ordinal: number, facts: PodFacts): PodSeen {
  const { metadata, spec, status } = pod;
  const state = containerState(pod);
  const ready = conditionOf(pod, 'Ready');
  const scheduled = conditionOf(pod, 'PodScheduled');
  const isUnschedulable = scheduled?.status === 'False' && scheduled.reason === 'Unschedulable';
  const node = spec?.nodeName;
  const nodeObject = facts.nodes?.find((each) => each.metadata.name === node);
  const isFinished = status?.phase === 'Failed' || status?.phase === 'Succeeded';
  return {
    name: metadata.name,
    ordinal,
    uid: metadata.uid ?? '',
    version: metadata.resourceVersion ?? '',
    hash: metadata.annotations?.[ANNOTATIONS.specHash],
    isRestartNeeded: isRestartNeeded(facts.cluster, metadata.annotations ?? {}, facts.restartHash),
    isTerminating: metadata.deletionTimestamp !== undefined,
    isOrphan: !metadata.ownerReferences?.some(({ controller }) => controller === true),
    isRunning: state?.running !== undefined && !isFinished,
    isReady: ready?.status === 'True',
    readyChangedMs: timeOf(ready?.lastTransitionTime ?? metadata.creationTimestamp),
    stuckReason: stuckReason(pod),
    unschedulableSinceMs: isUnschedulable ? timeOf(scheduled.lastTransitionTime) : undefined,
    node,
    isNodeGone: node !== undefined && facts.nodes !== undefined && nodeObject === undefined,
    zone: metadata.labels?.[facts.zoneLabel] ?? nodeObject?.metadata.labels?.[facts.zoneLabel],
    claimName: facts.claimName,
  };
}

function stuckReason(pod: Pod): string | undefined {
  const { status } = pod;
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return reasonText(scheduled.reason ?? 'Unscheduled', scheduled.message);
  if (status?.phase === 'Failed') return reasonText(status.reason ?? 'Failed', status.message);
  const { waiting, terminated } = containerState(pod) ?? {};
  if (waiting?.reason !== undefined && !STARTING.has(waiting.reason))
    return reasonText(waiting.reason, lastWords(pod) ?? waiting.message);
  if (terminated === undefined) return undefined;
  return reasonText(terminated.reason ?? 'Terminated', exitText(terminated));
}

/** What a process that ends again and again said last tells more than that it does. */
function lastWords(pod: Pod): string | undefined {
  const last = containerOf(pod)?.lastState?.terminated;
  return last === undefined ? undefined : exitText(last);
}

function exitText({ exitCode, message }: { readonly exitCode: number; readonly message?: string }): string {
  return message === undefined ? `exit code ${exitCode}` : `exit code ${exitCode}: ${message.trim()}`;
}

function reasonText(reason: string, message: string | undefined): string {
  return (message === undefined ? reason : `${reason}: ${message}`).slice(0, MESSAGE_CHARS_MAX);
}

function containerOf({ status }: Pod) {
  return status?.containerStatuses?.find(({ name }) => name === CONTAINER);
}

function containerState(pod: Pod) {
  return containerOf(pod)?.state;
}

function conditionOf({ status }: Pod, type: string) {
  return status?.conditions?.find((condition) => condition.type === type);
}

function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : Date.parse(text);
}
