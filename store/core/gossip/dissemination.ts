import type { MemberId } from '../raft/types.ts';
import type { Rumour } from './messages.ts';
import type { GossipOptions } from './options.ts';

/** Counted for every limit on bytes, whatever the codec makes of it. */
export function rumourBytes({ address, accusers = [] }: Rumour): number {
  return 48 + address.length + 4 * accusers.length;
}

/** How often a rumour is sent: `factor` times the logarithm of the cluster reaches all but surely (SWIM section 4.1). */
export function sendsMax(factor: number, members: number): number {
  return Math.ceil(factor * Math.log(members + 1));
}

type Waiting = { readonly isUrgent: boolean; sent: number };

/**
 * The members of whom there is something new to tell, at most one rumour each: what is told is what is known when
 * the packet leaves. Who lives comes before other news, then what was sent least often.
 */
export class Dissemination {
  readonly #options: GossipOptions;
  readonly #waiting = new Map<MemberId, Waiting>();

  constructor(options: GossipOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Something new of `member`. Other news do not take the place of what is urgent and not told often enough yet. */
  add(member: MemberId, isUrgent: boolean): void {
    const isStillUrgent = this.#waiting.get(member)?.isUrgent ?? false;
    this.#waiting.set(member, { isUrgent: isUrgent || isStillUrgent, sent: 0 });
  }

  forget(member: MemberId): void {
    this.#waiting.delete(member);
  }

  /** Fills `packet`, which has rumours already, up to the limits; `members` is the size of the cluster. */
  fill(packet: Rumour[], members: number, rumourOf: (member: MemberId) => Rumour | undefined): void {
    const { rumoursMax, rumourBytesMax } = this.#options;
    const told = new Set(packet.map(({ member }) => member));
    let bytesLeft = rumourBytesMax - packet.reduce((sum, rumour) => sum + rumourBytes(rumour), 0);
    for (const [member, waiting] of this.#inOrder()) {
      if (packet.length >= rumoursMax) return;
      const rumour = rumourOf(member);
      if (rumour === undefined || told.has(member)) continue;
      bytesLeft -= rumourBytes(rumour);
      if (bytesLeft < 0) return;
      packet.push(rumour);
      this.#countSent(member, waiting, members);
    }
  }

  #countSent(member: MemberId, waiting: Waiting, members: number): void {
    const { spreadFactor, newsFactor } = this.#options;
    waiting.sent += 1;
    if (waiting.sent >= sendsMax(waiting.isUrgent ? spreadFactor : newsFactor, members))
      this.#waiting.delete(member);
  }

  #inOrder(): readonly (readonly [MemberId, Waiting])[] {
    const all = [...this.#waiting];
    if (all.length < this.#options.rumoursMax) return all;
    return all.sort(([, a], [, b]) => Number(b.isUrgent) - Number(a.isUrgent) || a.sent - b.sent);
  }
}
