import type { Member } from './member.ts';

/** Where a node stands with its cluster; docs/topology.md has the picture. */
export type Phase =
  | { readonly type: 'waiting'; readonly reason: string }
  | { readonly type: 'joining'; readonly clusterId: string; readonly reason: string }
  | { readonly type: 'member'; readonly member: Member }
  | { readonly type: 'excluded'; readonly clusterId: string; readonly reason: string };
