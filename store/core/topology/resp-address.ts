import type { Announcement } from './types.ts';

type Part = Pick<Announcement, 'respAddress'>;

/** As a part of a member: nothing where there is none, so that such a member has the bytes that it always had. */
export function respAddressPart({ respAddress }: Part): Part {
  return respAddress === undefined ? {} : { respAddress };
}
