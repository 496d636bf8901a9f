import { stringify } from 'yaml';
import type { KVCluster } from '../api/kvcluster.ts';
import type { KubeObject } from './kube-object.ts';
import { authSecretName, childMeta } from './names.ts';

/** Tokens by what they allow; each role also allows what those before it do. */
export const TOKEN_ROLES = ['metrics', 'read', 'write', 'admin'] as const;
export type Tokens = { readonly [Role in (typeof TOKEN_ROLES)[number]]: string };

/** Whether the operator is to have a Secret of tokens for this cluster: not where the user names one. */
export function ownsAuthSecret({ spec }: KVCluster): boolean {
  return spec.auth.enabled && spec.auth.secretName === undefined;
}

/**
 * To be created where there is none, and never to be written again: clients have its tokens. `randomToken` gives at least 128 bits
 * as text.
 */
export function authSecret(cluster: KVCluster, randomToken: () => string): KubeObject {
  const tokens = Object.fromEntries(TOKEN_ROLES.map((role) => [role, randomToken()])) as Tokens;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMeta(cluster, authSecretName(cluster)),
    type: 'Opaque',
    stringData: { ...tokens, 'tokens.yaml': tokensFile(tokens) },
  };
}

function tokensFile(tokens: Tokens): string {
  return stringify({ tokens: TOKEN_ROLES.map((role) => ({ name: role, role, token: tokens[role] })) });
}
