import type { MemberId } from '../core/raft/types.ts';

/** Where members were last seen. What a later life of a member said wins; within a life, what came last. */
export class AddressBook {
  readonly #entries = new Map<MemberId, { readonly incarnation: number; readonly address: string }>();

  record(member: MemberId, incarnation: number, address: string): void {
    const known = this.#entries.get(member);
    if (known === undefined || incarnation >= known.incarnation)
      this.#entries.set(member, { incarnation, address });
  }

  addressOf(member: MemberId): string | undefined {
    return this.#entries.get(member)?.address;
  }
}
