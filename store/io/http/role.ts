/** What a token allows: each role also what those before it do. */
export const ROLES = ['metrics', 'read', 'write', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** What a request takes. `none`: it is answered to everybody, also where tokens are needed. */
export type NeededRole = Role | 'none';

export function allows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
