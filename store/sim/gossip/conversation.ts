import type { GossipPacket } from '../../core/gossip/messages.ts';
import { GOSSIP_DEFAULTS } from '../../core/gossip/options.ts';
import { createPrng } from '../../core/prng/prng.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { toEpoch } from '../../core/topology/types.ts';
import { formatPacket, formatRumour } from './format.ts';
import { GossipNetwork } from './network.ts';

const DELAY_MS = 10;

/**
 * A conversation between members that gossip, as text. Each line begins with the time in seconds. Grammar (one
 * command per line, `#` begins a comment):
 *
 *     cluster 5                          members 1 to 5, who know each other from the topology
 *     run 2000                           2 s pass; prints every packet, and what its receiver holds anew
 *     watch 2000                         2 s pass; prints only what members hold anew of others
 *     lose 1 2 [count]                   the next packets from 1 to 2 are lost
 *     cut 1 2 | isolate 1 | split 1 2    between two; one from all; those named from the others
 *     heal
 *     crash 3 | restart 3 [address] | pause 3 1500 | leave 3 | register
 *     tell 3 epoch=7 | tell 3 address=host:1
 *     heard 1 3 incarnation address      a handshake of member 3 at member 1
 *     forget 1 3                         the topology that member 1 knows has no member 3
 *     show [1 ...]                       what members hold, and their local health
 */
export class Conversation {
  readonly #prng = createPrng(1);
  readonly #losses = new Map<string, number>();
  readonly #held = new Map<string, string>();
  #isTalkative = false;
  #lines: string[] = [];
  readonly #network = new GossipNetwork(
    {
      gossip: GOSSIP_DEFAULTS,
      prng: this.#prng,
      delayMs: () => DELAY_MS,
      isLost: (from, to) => this.#isLost(from, to),
    },
    {
      onPacket: (packet, to, isLost) => this.#notePacket(packet, to, isLost),
      onStep: (member) => this.#noteView(member),
    },
  );

  /** Runs one command and returns what it printed. */
  run(command: string): readonly string[] {
    this.#lines = [];
    const [verb = '', ...words] = command.split(/\s+/);
    this.#dispatch(verb, words, words.map(Number));
    return this.#lines;
  }

  #dispatch(verb: string, words: string[], [a = 0, b = 0, c = 1]: number[]): void {
    const network = this.#network;
    const commands: Record<string, () => void> = {
      cluster: () => network.populate(a),
      run: () => this.#pass(a, true),
      watch: () => this.#pass(a, false),
      lose: () => void this.#losses.set(`${a} ${b}`, c),
      cut: () => network.cut(a, b),
      isolate: () => this.#split([a]),
      split: () => this.#split(words.map(Number)),
      heal: () => network.heal(),
      crash: () => network.crash(a),
      restart: () => this.#restart(a, words[1]),
      pause: () => network.pause(a, b),
      leave: () => network.act(a, (gossip) => gossip.leave(network.nowMs)),
      register: () => network.registerAll(),
      tell: () => this.#tell(a, words[1] ?? ''),
      heard: () => network.act(a, (gossip) => gossip.heard(b, c, words[3] ?? '', network.nowMs)),
      forget: () => this.#forget(a, b),
      show: () => this.#show(words.map(Number)),
    };
    const run = commands[verb];
    if (run === undefined) throw new Error(`unknown command ${verb}`);
    run();
  }

  #pass(forMs: number, isTalkative: boolean): void {
    this.#isTalkative = isTalkative;
    this.#network.runFor(forMs);
    this.#isTalkative = false;
  }

  #restart(member: MemberId, address: string | undefined): void {
    for (const key of this.#held.keys()) if (key.startsWith(`${member} `)) this.#held.delete(key);
    this.#network.restart(member, address);
  }

  #split(side: readonly MemberId[]): void {
    for (const a of side)
      for (const b of this.#network.hosts.keys()) if (!side.includes(b)) this.#network.cut(a, b);
  }

  #tell(member: MemberId, news: string): void {
    const [what, value = ''] = news.split('=');
    this.#network.act(member, (gossip) =>
      gossip.updateSelf(what === 'address' ? { address: value } : { epoch: toEpoch(Number(value)) }),
    );
    if (what === 'address') this.#network.host(member).address = value;
  }

  #forget(viewer: MemberId, member: MemberId): void {
    const members = [...this.#network.hosts.values()].filter((host) => host.member !== member);
    this.#network.act(viewer, (gossip) => gossip.setMembers(members, this.#network.nowMs));
  }

  #isLost(from: MemberId, to: MemberId): boolean {
    const key = `${from} ${to}`;
    const left = this.#losses.get(key) ?? 0;
    this.#losses.set(key, Math.max(0, left - 1));
    return left > 0;
  }

  #notePacket(packet: GossipPacket, to: MemberId, isLost: boolean): void {
    if (this.#isTalkative) this.#print(`${formatPacket(packet, to)}${isLost ? '  LOST' : ''}`);
  }

  /** Refutations that only carry news of the same address, epoch and liveness are not worth a line. */
  #noteView(viewer: MemberId): void {
    for (const [member, { rumour }] of this.#network.host(viewer).gossip.view()) {
      const { liveness, incarnation, address, epoch, accusers = [] } = rumour;
      const held = `${liveness} ${incarnation} ${address} ${epoch} ${accusers}`;
      const key = `${viewer} ${member}`;
      const before = this.#held.get(key);
      this.#held.set(key, held);
      if (before === undefined || before === held) continue;
      this.#print(`    ${viewer} holds ${formatRumour(rumour)} at ${address}, epoch ${epoch}`);
    }
  }

  #show(members: readonly MemberId[]): void {
    for (const { member, gossip, isUp } of this.#network.hosts.values()) {
      if (!isUp || (members.length > 0 && !members.includes(member))) continue;
      const views = [...gossip.view().values()].map(({ rumour }) => formatRumour(rumour));
      this.#print(`${member} health ${gossip.health()} | ${views.join(' | ')}`);
    }
  }

  #print(line: string): void {
    this.#lines.push(`${(this.#network.nowMs / 1000).toFixed(3)}  ${line}`);
  }
}
