import type { Hello } from '../../peer/messages.ts';
import type { DiskLog } from '../world/disk-log.ts';
import { once, requireOf } from './violation.ts';

const requireOne = requireOf('two clusters never merge');
const requireNumber = requireOf('member numbers are never reused');

/** Which directory is of which cluster, and under which number: told by disks and by handshakes. */
export class Identities {
  readonly #clusters = new Map<string, string>();
  readonly #directories = new Map<string, string>();
  readonly #numbers = new Map<string, string>();

  persisted({ identity, directoryId }: DiskLog): void {
    if (identity === undefined || directoryId === undefined) return;
    this.#isOf(directoryId, identity.clusterId, identity.member);
  }

  /** A handshake between `own` and `peer` ended well. */
  linked(own: Hello, peer: Hello): void {
    const { clusterId, member, directoryId } = peer;
    if (clusterId === undefined) return;
    requireOne(
      own.clusterId === undefined || own.clusterId === clusterId,
      () => `${own.name} of ${own.clusterId} has a link to ${peer.name} of ${clusterId}`,
    );
    if (member !== undefined) this.#isOf(directoryId, clusterId, member.number);
  }

  #isOf(directoryId: string, clusterId: string, number: number): void {
    const cluster = once(this.#clusters, directoryId, clusterId);
    requireOne(cluster === clusterId, () => `directory ${directoryId} is of ${cluster} and of ${clusterId}`);
    const directory = once(this.#directories, `${clusterId} ${number}`, directoryId);
    requireNumber(
      directory === directoryId,
      () => `number ${number} of ${clusterId} is held by ${directory} and ${directoryId}`,
    );
    const known = once(this.#numbers, directoryId, `${number}`);
    requireNumber(
      known === `${number}`,
      () => `directory ${directoryId} has the numbers ${known} and ${number}`,
    );
  }
}
