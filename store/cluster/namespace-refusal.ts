import type { TopologyRefusal } from '../core/topology/command.ts';

/** Why the leader makes no namespace `name`: the limit is a setting, so it is not for `applyCommand` to judge. */
export function namespaceRefusal(
  name: string,
  namespaces: ReadonlyMap<string, unknown> | undefined,
  namespacesMax: number,
): TopologyRefusal | undefined {
  if (namespaces === undefined || namespaces.has(name) || namespaces.size < namespacesMax) return undefined;
  return {
    code: 'NAMESPACE_LIMIT',
    message: `there are ${namespacesMax} namespaces, the most that are allowed`,
  };
}
