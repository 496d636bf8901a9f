import { follows, presentLife } from '../core/topology/succession.ts';
import type { Incarnation } from '../core/topology/types.ts';
import type { Hello, HelloRefusal } from './messages.ts';

/** What this node's topology says of the member number in a hello. */
export type KnownMember =
  | ({ readonly type: 'member'; readonly name: string; readonly directoryId: string } & Incarnation)
  | { readonly type: 'removed' }
  /** Never allocated, as far as this node knows: its topology may lag behind. */
  | { readonly type: 'unknown' };

type ProtocolRange = Pick<Hello, 'protocolMin' | 'protocolMax'>;

/** Why a link to the node that said `hello` must not be, or undefined. `known` is about `hello.member`. */
export function judgeHello(local: Hello, hello: Hello, known: KnownMember): HelloRefusal | undefined {
  if (!overlaps(local, hello)) return wrongProtocol(local, hello);
  if (isOtherCluster(local, hello)) return wrongCluster(local, hello);
  if (isSelf(local, hello)) return self(hello);
  if (hello.clusterId === undefined || hello.member === undefined) return undefined;
  return judgeMember(hello, hello.member, known);
}

export function overlaps(a: ProtocolRange, b: ProtocolRange): boolean {
  return Math.max(a.protocolMin, b.protocolMin) <= Math.min(a.protocolMax, b.protocolMax);
}

export function wrongProtocol(local: ProtocolRange, remote: ProtocolRange): HelloRefusal {
  const message =
    `no common version of the peer protocol: the refusing node speaks ${range(local)}, the refused one ` +
    `${range(remote)}; upgrade the older of the two, one minor version at a time`;
  return { code: 'WRONG_PROTOCOL', message };
}

const range = ({ protocolMin, protocolMax }: ProtocolRange): string => `${protocolMin} to ${protocolMax}`;

/** A node that waits has no cluster yet and may talk to any. */
function isOtherCluster(local: Hello, hello: Hello): boolean {
  return (
    local.clusterId !== undefined && hello.clusterId !== undefined && local.clusterId !== hello.clusterId
  );
}

function wrongCluster(local: Hello, hello: Hello): HelloRefusal {
  const message =
    `${local.name} is of cluster ${local.clusterId}, ${hello.name} is of cluster ${hello.clusterId}; check ` +
    `cluster.seeds and the addresses of both, or give the one that is wrong an empty data directory`;
  return { code: 'WRONG_CLUSTER', message };
}

/** The directory tells; where two processes run on copies of it, their lives differ. */
function isSelf(local: Hello, hello: Hello): boolean {
  const life = (of: Hello): string | undefined => of.member && presentLife(of.member);
  return local.directoryId === hello.directoryId && life(local) === life(hello);
}

function self(hello: Hello): HelloRefusal {
  const message = `${hello.name} reached itself at ${hello.peerAddress}; take this address out of cluster.seeds`;
  return { code: 'SELF', message };
}

function judgeMember(
  hello: Hello,
  claimed: NonNullable<Hello['member']>,
  known: KnownMember,
): HelloRefusal | undefined {
  switch (known.type) {
    case 'unknown':
      return undefined;
    case 'removed':
      return removed(hello, claimed.number);
    case 'member':
      return judgeKnown(hello, claimed, known);
  }
}

function removed(hello: Hello, number: number): HelloRefusal {
  const message =
    `member ${number} (${hello.name}) was removed from the cluster, and numbers are never reused; ` +
    `to join again, start ${hello.name} with an empty data directory`;
  return { code: 'REMOVED_MEMBER', message };
}

/**
 * A cluster gives a number to one directory only, so this is another cluster by the same id: two nodes were told to make
 * it. Neither may take the other's word that it is stale, or both would give up what they have.
 */
function otherHistory(
  hello: Hello,
  number: number,
  known: { readonly name: string; readonly directoryId: string },
): HelloRefusal {
  const message =
    `member ${number} is ${known.name} with data directory ${known.directoryId}, not ${hello.name} with ` +
    `${hello.directoryId}: two clusters were made with the id ${hello.clusterId}; keep one, and give the nodes of the ` +
    'other empty data directories';
  return { code: 'WRONG_CLUSTER', message };
}

function judgeKnown(
  hello: Hello,
  claimed: NonNullable<Hello['member']>,
  known: Extract<KnownMember, { type: 'member' }>,
): HelloRefusal | undefined {
  if (hello.directoryId !== known.directoryId) return otherHistory(hello, claimed.number, known);
  // A recorded incarnation of 0 means that the member has a number and has not started under it yet.
  if (known.incarnation === 0 || follows(claimed, known)) return undefined;
  return stale(
    hello,
    `the cluster saw incarnation ${known.incarnation} of member ${claimed.number} in a life that its directory, now in ${claimed.incarnation}, does not know`,
  );
}

function stale(hello: Hello, reason: string): HelloRefusal {
  const message =
    `${reason}; a restored or copied data directory has lost promises that it made: ` +
    `start ${hello.name} with an empty one, and it joins as a replacement`;
  return { code: 'STALE_MEMBER', message };
}
