import type { ApplyOutcome, CommandOf } from './command.ts';
import { DEFAULT_NAMESPACE } from './genesis.ts';
import { LIMITS } from './limits.ts';
import { applied, refused, unchanged } from './outcome.ts';
import type { TopologyNamespace, TopologyState } from './types.ts';

export function applyCreateNamespace(
  state: TopologyState,
  { name, createdAtMs }: CommandOf<'create-namespace'>,
): ApplyOutcome {
  const existing = state.namespaces.get(name);
  if (existing !== undefined) return unchanged(state, existing.id);
  if (state.namespaces.size >= LIMITS.namespacesMax) {
    const limit = `A cluster has at most ${LIMITS.namespacesMax} namespaces; it has as many.`;
    return refused(state, 'NAMESPACE_LIMIT', `${limit} Drop one that is not needed.`);
  }
  const id = state.nextNamespaceId;
  const namespace: TopologyNamespace = { name, id, consistency: 'quorum', createdAtMs };
  const namespaces = new Map(state.namespaces).set(name, namespace);
  return applied(state, { namespaces, nextNamespaceId: id + 1 }, id);
}

/** Only the namespace that was meant: one made since under the same name has another id, and other data. */
export function applyDropNamespace(
  state: TopologyState,
  { name, id }: CommandOf<'drop-namespace'>,
): ApplyOutcome {
  if (name === DEFAULT_NAMESPACE) {
    return refused(state, 'NAMESPACE_PROTECTED', `The namespace ${name} is part of every cluster.`);
  }
  const existing = state.namespaces.get(name);
  if (existing === undefined) {
    return refused(state, 'NAMESPACE_NOT_FOUND', `There is no namespace ${name}.`);
  }
  if (existing.id !== id) {
    const other = `The namespace ${name} of today has the id ${existing.id}: the one with the id ${id} was dropped.`;
    return refused(state, 'NAMESPACE_NOT_FOUND', other);
  }
  const namespaces = new Map([...state.namespaces].filter(([other]) => other !== name));
  return applied(state, { namespaces }, id);
}
