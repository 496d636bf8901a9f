import type { Observation } from '../observation.ts';
import { act, type Finding } from './finding.ts';

/** A pod whose node is no object any more has nobody who would end it, and its name is not free until it is gone. */
export function lostPods({ pods }: Observation): readonly Finding[] {
  return pods
    .filter(({ isNodeGone }) => isNodeGone)
    .map(({ name, uid, node }) => {
      const message = `${name} was on ${node ?? 'a node'}, which is gone`;
      return act('heal', message, { type: 'delete-lost-pod', pod: name, uid });
    });
}
