import type { Message } from '../../core/raft/messages.ts';
import type { Configuration, Entry, LogIndex } from '../../core/raft/types.ts';
import { decodeState } from '../../core/topology/codec.ts';
import type { TopologyState } from '../../core/topology/types.ts';
import type { DiskIdentity, DiskLog } from '../world/disk-log.ts';
import { ClientHistory } from './client-history.ts';
import { Commits } from './commits.ts';
import { Configurations } from './configurations.ts';
import { Elections } from './elections.ts';
import { Leases, type Receiver } from './leases.ts';
import { LogMatching } from './log-matching.ts';
import { Promises } from './promises.ts';
import { TopologyHistory } from './topology-history.ts';

/** Whose disk it is, and what lies on it. */
export type Witness = {
  readonly name: string;
  readonly log: DiskLog;
  readonly identity: DiskIdentity;
  readonly directoryId: string;
};

/** Watches one cluster from outside: its disks, its wires and what its clients are told. Throws a Violation. */
export class ClusterWatch {
  readonly history = new TopologyHistory();
  readonly clients = new ClientHistory(this.history);
  readonly commits = new Commits((entry) => this.history.committed(entry));
  readonly #elections = new Elections();
  readonly #leases = new Leases();
  readonly #promises = new Promises();
  readonly #matching = new LogMatching();
  readonly #configurations = new Configurations();
  /** Up to where each disk was known to be committed, by directory. */
  readonly #commitOf = new Map<string, LogIndex>();
  readonly #snapshotOf = new Map<string, LogIndex>();

  /** After a write of `witness`; `others` are the logs that count now. */
  persisted(witness: Witness, fresh: readonly Entry[], others: () => readonly Configuration[]): void {
    const { log, identity, directoryId } = witness;
    this.#promises.persisted(log, directoryId);
    this.#matching.persisted(log, fresh);
    this.commits.durable(identity.member, log, fresh);
    this.#lookAtSnapshot(witness);
    this.committed(witness, log.hardState?.commit ?? (0 as LogIndex), others);
    this.#configurations.persisted(log, fresh, this.commits.last);
  }

  /** `witness` takes its log for committed up to `commit`: its disk says so, or it has applied that much. */
  committed({ directoryId, log }: Witness, commit: LogIndex, others: () => readonly Configuration[]): void {
    const from = this.#commitOf.get(directoryId) ?? (0 as LogIndex);
    if (commit <= from) return;
    this.commits.committed(log, from, commit, others());
    this.#commitOf.set(directoryId, commit);
  }

  sent(witness: Witness, message: Message): void {
    if (message.from !== witness.identity.member) return;
    this.#promises.sent(message, witness.log);
    this.#matching.sent(message);
    this.#leases.sent(message);
    this.commits.sent(message, witness.log);
    const isNewLeader = this.#elections.sent(message);
    if (isNewLeader) this.commits.leads(message.from, message.term, witness.log);
  }

  received(message: Message, receiver: Receiver): void {
    this.#leases.received(message, receiver);
  }

  /** `witness` shows this topology to who asks it. */
  shown({ name }: Witness, state: TopologyState): void {
    this.history.shown(name, state);
  }

  /** `witness` began again: what was not durable is gone. */
  started({ directoryId, log, identity }: Witness): void {
    // A crash may keep a write of which the process never learned that it was done.
    this.commits.durable(identity.member, log, [...log.entries.values()]);
    this.#leases.started(identity.member);
    const known = this.#commitOf.get(directoryId);
    const commit = log.hardState?.commit ?? (0 as LogIndex);
    if (known !== undefined && commit < known) this.#commitOf.set(directoryId, commit);
  }

  #lookAtSnapshot({ name, log, directoryId }: Witness): void {
    const index = log.pointer?.index ?? (0 as LogIndex);
    if (index === (this.#snapshotOf.get(directoryId) ?? 0)) return;
    this.#snapshotOf.set(directoryId, index);
    this.commits.snapshot(name, log);
    const data = log.snapshotData();
    if (data === undefined) return;
    if (this.history.state === undefined) this.history.begin(data, index);
    else if (index <= this.history.applied) this.history.shown(`the snapshot of ${name}`, decodeState(data));
  }
}
