import type { NodeSeen, Observation } from '../observation.ts';
import { type Finding, refuse, wait } from './finding.ts';
import { isOutdated, listed, nodeNamed } from './ordinals.ts';

/**
 * The settings file is in the ConfigMap by now. The kubelet brings it to the pods within a minute or two, and each node says by which one it
 * goes. Pods that are to be restarted read it as they start.
 */
export function liveSettings(seen: Observation): readonly Finding[] {
  const nodes = followingNodes(seen);
  const refusing = nodes.find(({ refused }) => refused !== undefined);
  if (refusing?.refused !== undefined) {
    const { name, refused } = refusing;
    return [
      refuse('upgrade', 'SettingsRefused', `${name} goes on with the settings before: ${refused.problem}`),
    ];
  }
  const behind = nodes.filter(({ isBehind }) => isBehind).map(({ name }) => name);
  if (behind.length === 0) return [];
  const message = `${listed(behind)} did not read the changed settings yet, which takes a minute or two and no restart`;
  return [wait('upgrade', 'WaitingForSettings', message)];
}

type Following = {
  readonly name: string;
  readonly isBehind: boolean;
  readonly refused: { readonly problem: string } | undefined;
};

/** Those of pods that stay as they are. */
function followingNodes(seen: Observation): readonly Following[] {
  const staying = seen.pods.filter(
    (pod) => pod.ordinal < seen.cluster.wish.replicas && !pod.isTerminating && !isOutdated(seen, pod),
  );
  return staying.flatMap((pod) => {
    const node = nodeNamed(seen, pod.name);
    return node === undefined ? [] : following(seen, node);
  });
}

function following({ wantedFileHash }: Observation, { name, settings }: NodeSeen): readonly Following[] {
  if (settings?.type !== 'live') return [];
  const { fileHash, refused } = settings;
  const isRefused = refused !== undefined && refused.fileHash === wantedFileHash;
  return [{ name, isBehind: fileHash !== wantedFileHash, refused: isRefused ? refused : undefined }];
}
