import { createPrng } from '../../core/prng/prng.ts';
import { bootstrapState, emptyState } from '../../core/raft/bootstrap.ts';
import { type Change, configurationOf } from '../../core/raft/configuration.ts';
import type { Message } from '../../core/raft/messages.ts';
import type { RaftOptions } from '../../core/raft/options.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { formatConfiguration, formatEntry, formatMessage, formatOutcome, formatStatus } from './format.ts';
import { Host } from './host.ts';

/**
 * A conversation between members, as text: each command prints what the members said and did. Grammar (one
 * command per line, `#` begins a comment):
 *
 *     cluster 1 2 3 [learner 4 ...] [with option=number ...]   members 1 2 3, booted together
 *     empty 4                            a member without any state, which waits for a leader
 *     ready 1                            one Ready of member 1, all of its steps
 *     take 1 | persist 1 | finish 1      the steps one by one
 *     deliver 1 2 [count]                the oldest messages from 1 to 2
 *     drop 1 2 [count] | repeat 1 2      loses the oldest message, or delivers it and keeps it
 *     last 1 2                           delivers the newest message first
 *     settle [1 2 ...]                   Ready and delivery until nothing is left, among all or those named
 *     tick 1 [count] | campaign 1
 *     cut 1 2 | isolate 1 | heal         messages on a cut way are lost
 *     propose 1 TEXT | read 1 | transfer 1 2
 *     change 1 add=4 promote=4 demote=2 remove=3
 *     compact 1 [entries kept]
 *     crash 1 | start 1 | status [1 ...] | log 1
 */
export class Conversation {
  readonly #hosts = new Map<MemberId, Host>();
  readonly #links = new Map<string, Message[]>();
  readonly #cuts = new Set<string>();
  readonly #random = createPrng(1);
  #options: Partial<RaftOptions> = {};
  #lines: string[] = [];

  /** Runs one command and returns what it printed. */
  run(command: string): readonly string[] {
    this.#lines = [];
    const [verb = '', ...words] = command.split(/\s+/);
    this.#dispatch(verb, words, words.map(Number));
    return foldRepeats(this.#lines);
  }

  host(id: MemberId): Host {
    const host = this.#hosts.get(id);
    if (host === undefined) throw new Error(`no member ${id}`);
    return host;
  }

  /** What is on its way from one member to another, oldest first. */
  link(from: MemberId, to: MemberId): Message[] {
    const key = `${from} ${to}`;
    const queue = this.#links.get(key) ?? [];
    this.#links.set(key, queue);
    return queue;
  }

  #dispatch(verb: string, words: string[], [a = 0, b = 0, c = 1]: number[]): void {
    const commands: Record<string, () => void> = {
      cluster: () => this.#cluster(words),
      empty: () => this.#add(a, emptyState()),
      ready: () => this.#ready(a),
      take: () => this.#take(a),
      persist: () => this.host(a).persist(),
      finish: () => this.#finish(a),
      deliver: () => times(c, () => this.#step(this.#shift(a, b))),
      drop: () => times(c, () => this.#print(`${formatMessage(this.#shift(a, b))}  LOST`)),
      repeat: () => this.#step(this.link(a, b)[0]),
      last: () => this.#step(this.link(a, b).pop()),
      settle: () => this.#settle(words.map(Number)),
      tick: () => times(words[1] === undefined ? 1 : b, () => this.host(a).raft.tick()),
      campaign: () => this.host(a).raft.campaign(),
      cut: () => this.#cut(a, b),
      isolate: () => this.#hosts.forEach((_, id) => void this.#cut(a, id)),
      heal: () => this.#cuts.clear(),
      propose: () => this.#print(formatOutcome(this.host(a).raft.propose(encode(words.slice(1).join(' '))))),
      change: () =>
        this.#print(formatOutcome(this.host(a).raft.proposeConfChange(words.slice(1).map(parseChange)))),
      read: () => this.#print(formatOutcome(this.host(a).raft.readIndex())),
      transfer: () => this.#print(formatOutcome(this.host(a).raft.transferLeadership(b))),
      compact: () => this.host(a).compact(b),
      crash: () => this.host(a).crash(),
      start: () => this.host(a).start(),
      status: () =>
        this.#chosen(words.map(Number)).forEach((host) => void this.#print(formatStatus(host.raft.status()))),
      log: () => this.#print(this.host(a).disk.entries.map(formatEntry).join(' ')),
    };
    const command = commands[verb];
    if (command === undefined) throw new Error(`unknown command ${verb}`);
    command();
  }

  #cut(a: MemberId, b: MemberId): void {
    this.#cuts.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  #cluster(words: string[]): void {
    const options = words.splice(words.includes('with') ? words.indexOf('with') : words.length).slice(1);
    this.#options = Object.fromEntries(options.map((one) => [one.split('=')[0], Number(one.split('=')[1])]));
    const learners = words
      .splice(words.includes('learner') ? words.indexOf('learner') : words.length)
      .slice(1);
    const configuration = configurationOf(words.map(Number), learners.map(Number));
    for (const id of words.map(Number)) this.#add(id, bootstrapState(configuration));
    for (const id of learners.map(Number)) this.#add(id, emptyState());
  }

  #add(id: MemberId, disk: ReturnType<typeof emptyState>): void {
    this.#hosts.set(id, new Host(id, this.#options, { random: this.#random, disk }));
  }

  #ready(id: MemberId): void {
    this.#take(id);
    if (!this.host(id).isBusy) return;
    this.host(id).persist();
    this.#finish(id);
  }

  #take(id: MemberId): void {
    const ready = this.host(id).take();
    if (ready === undefined) return;
    this.#send(ready.earlyMessages);
    const { snapshot, entries, hardState } = ready;
    if (snapshot !== undefined) {
      const { index, term, configuration } = snapshot;
      this.#print(`${id} persists snapshot ${index}@${term} ${formatConfiguration(configuration)}`);
    }
    if (entries.length > 0) this.#print(`${id} persists ${entries.map(formatEntry).join(' ')}`);
    const onDisk = this.host(id).disk.hardState;
    if (hardState === undefined || (hardState.term === onDisk.term && hardState.vote === onDisk.vote)) return;
    this.#print(`${id} persists term ${hardState.term} vote ${hardState.vote ?? '-'}`);
  }

  #finish(id: MemberId): void {
    const host = this.host(id);
    const committed = host.ready.committed;
    const reads = host.ready.reads;
    this.#send(host.finish());
    if (committed.length > 0) this.#print(`${id} applies ${committed.map(formatEntry).join(' ')}`);
    for (const read of reads) {
      const result = read.type === 'confirmed' ? `may read at ${read.index}` : `read dropped: ${read.reason}`;
      this.#print(`${id} ${result} (#${read.id.sequence})`);
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      const isLost = this.#cuts.has(`${message.from} ${message.to}`) || !this.#hosts.has(message.to);
      this.#print(formatMessage(message) + (isLost ? '  LOST' : ''));
      if (!isLost) this.link(message.from, message.to).push(message);
    }
  }

  #shift(from: MemberId, to: MemberId): Message {
    const message = this.link(from, to).shift();
    if (message === undefined) throw new Error(`nothing on its way from ${from} to ${to}`);
    return message;
  }

  #step(message: Message | undefined): void {
    if (message === undefined) throw new Error('nothing on its way');
    const host = this.host(message.to);
    if (!host.isUp) return;
    const outcome = host.raft.step(message);
    if (outcome.type === 'refused') this.#print(`${message.to} refuses ${message.type}: ${outcome.reason}`);
  }

  #settle(ids: MemberId[]): void {
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = true;
      for (const host of this.#chosen(ids)) {
        const before = this.#lines.length;
        this.#ready(host.id);
        if (this.#lines.length > before) isQuiet = false;
      }
      for (const queue of this.#links.values()) {
        const to = queue[0]?.to ?? 0;
        if (ids.length > 0 && !ids.includes(to)) continue;
        for (const message of queue.splice(0)) {
          isQuiet = false;
          this.#step(message);
        }
      }
    }
  }

  #chosen(ids: MemberId[]): Host[] {
    return [...this.#hosts.values()].filter(
      (host) => host.isUp && (ids.length === 0 || ids.includes(host.id)),
    );
  }

  #print(line: string): void {
    this.#lines.push(line);
  }
}

/** Heartbeats and pre-votes that were said again and again are printed once. */
function foldRepeats(lines: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return lines
    .filter((line, i) => !/ {2}(heartbeat|pre-vote)/.test(line) || lines.indexOf(line) === i)
    .map((line) =>
      / {2}(heartbeat|pre-vote)/.test(line) && counts.get(line) !== 1
        ? `${line}  x${counts.get(line)}`
        : line,
    );
}

function times(count: number, act: () => void): void {
  for (let i = 0; i < count; i++) act();
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function parseChange(word: string): Change {
  const [verb, member] = word.split('=');
  if (verb === 'add') return { type: 'add-learner', member: Number(member) };
  if (verb === 'promote' || verb === 'demote' || verb === 'remove')
    return { type: verb, member: Number(member) };
  throw new Error(`unknown change ${word}`);
}
