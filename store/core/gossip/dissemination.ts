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

/** Kept by how often it was sent: index 0 was not sent yet. */
type Sends = Set<MemberId>[];

/**
 * The members of whom there is something new to tell, at most one rumour each: what is told is what is known when
 * the packet leaves. Who lives comes before other news, then what was sent least often.
 */
export class Dissemination {
  readonly #options: GossipOptions;
  readonly #urgent: Sends = [];
  readonly #other: Sends = [];

  constructor(options: GossipOptions) {
    this.#options = options;
  }

  /** How many members there is something to tell of. */
  get size(): number {
    return [...this.#urgent, ...this.#other].reduce((sum, { size }) => sum + size, 0);
  }

  /** Something new of `member`. What was urgent and not told often enough yet stays so. */
  add(member: MemberId, isUrgent: boolean): void {
    const wasUrgent = remove(this.#urgent, member);
    remove(this.#other, member);
    put(isUrgent || wasUrgent ? this.#urgent : this.#other, 0, member);
  }

  forget(member: MemberId): void {
    remove(this.#urgent, member);
    remove(this.#other, member);
  }

  /** Fills `packet`, which has rumours already, up to the limits; `members` is the size of the cluster. */
  fill(packet: Rumour[], members: number, rumourOf: (member: MemberId) => Rumour | undefined): void {
    const { spreadFactor, newsFactor } = this.#options;
    this.#fillFrom(this.#urgent, sendsMax(spreadFactor, members), packet, rumourOf);
    this.#fillFrom(this.#other, sendsMax(newsFactor, members), packet, rumourOf);
  }

  #fillFrom(
    sends: Sends,
    max: number,
    packet: Rumour[],
    rumourOf: (member: MemberId) => Rumour | undefined,
  ): void {
    const told = new Set(packet.map(({ member }) => member));
    const moves: (readonly [MemberId, number])[] = [];
    let bytesLeft =
      this.#options.rumourBytesMax - packet.reduce((sum, rumour) => sum + rumourBytes(rumour), 0);
    for (const [sent, member] of inOrder(sends)) {
      const rumour = told.has(member) ? undefined : rumourOf(member);
      if (rumour === undefined) continue;
      bytesLeft -= rumourBytes(rumour);
      if (bytesLeft < 0 || packet.length >= this.#options.rumoursMax) break;
      packet.push(rumour);
      moves.push([member, sent]);
    }
    for (const [member, sent] of moves) {
      sends[sent]?.delete(member);
      if (sent + 1 < max) put(sends, sent + 1, member);
    }
  }
}

function* inOrder(sends: Sends): Generator<readonly [number, MemberId]> {
  for (const [sent, members] of sends.entries()) for (const member of members) yield [sent, member];
}

function put(sends: Sends, sent: number, member: MemberId): void {
  while (sends.length <= sent) sends.push(new Set());
  sends[sent]?.add(member);
}

function remove(sends: Sends, member: MemberId): boolean {
  return sends.some((members) => members.delete(member));
}
