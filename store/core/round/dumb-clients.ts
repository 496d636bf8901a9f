import { hearRead, type ReadReply, readVerdict, restartRead, startRead } from '../quorum/read-decision.ts';
import type { PartitionView } from '../quorum/replica-sets.ts';
import {
  DEFAULT_LEVELS,
  hearWrite,
  stamped,
  startWrite,
  type WriteReply,
  writeVerdict,
} from '../quorum/write-decision.ts';
import type { MemberId } from '../raft/types.ts';
import type { Version } from '../version/version.ts';
import {
  ATTEMPTS_MAX,
  above,
  type Client,
  EPOCH,
  type Happened,
  holds,
  NO_VERSION,
  type Parcel,
  PUT_BEFORE,
  type Replica,
  type Rules,
  refusalKey,
  textOf,
  type World,
} from './dumb-world.ts';

export function writer(type: 'put' | 'delete', set: readonly MemberId[]): Client {
  return { type, write: startWrite(viewOf(set), DEFAULT_LEVELS), sent: [], state: 'idle' };
}
/** A write that was stamped before the round began, and has not been sent. */
export function stampedWriter(type: 'put' | 'delete', index: number, set: readonly MemberId[]): Client {
  const nothing = { floor: NO_VERSION, watermark: NO_VERSION, clock: NO_VERSION };
  const body = { type: 'versions' as const, version: PUT_BEFORE, ...nothing };
  const asked = set.slice(0, 2).reduce(
    (write, member) => {
      return hearWrite(write, { epoch: EPOCH, attempt: 1, member, body });
    },
    startWrite(viewOf(set), DEFAULT_LEVELS),
  );
  const write = stamped(asked, { wallMs: PUT_BEFORE.wallMs + 1, counter: 0, member: index + 1 });
  return { type, write, sent: [], state: 'running' };
}

export function reader(set: readonly MemberId[]): Client {
  return { type: 'get', read: startRead(viewOf(set), 'quorum'), sent: [], state: 'idle' };
}
const viewOf = (set: readonly MemberId[]): PartitionView => ({ epoch: EPOCH, sets: { type: 'still', set } });

type Kind = 'ask' | 'value' | 'store';
type Request = { readonly key: string; readonly member: MemberId; readonly kind: Kind };
type Loss = 'nothing' | 'request' | 'answer' | 'unsynced';

export function clientSteps(world: World, rules: Rules, client: Client, index: number): readonly World[] {
  if (client.state === 'ended') return [];
  if (client.state === 'idle') return canBegin(world, index) ? [begin(world, index, client)] : [];
  return requestsOf(client).flatMap((request) =>
    lossesOf(world, client, request).map((loss) => serve(world, rules, index, client, request, loss)),
  );
}

function canBegin({ mayBegin, history }: World, index: number): boolean {
  const last = history.at(-1);
  return mayBegin && (last === undefined || last.event === 'ended' || last.client < index);
}

function begin(world: World, index: number, client: Client): World {
  const history = [...world.history, { client: index, event: 'began' as const }];
  return { ...world, clients: world.clients.with(index, { ...client, state: 'running' }), history };
}

function lossesOf({ budget }: World, client: Client, { kind }: Request): readonly Loss[] {
  const losses: Loss[] = ['nothing'];
  if (budget.losses > 0) losses.push('request');
  if (budget.losses > 0 && kind === 'store') losses.push('answer');
  if (budget.unsynced > 0 && kind === 'store' && client.type !== 'get') losses.push('unsynced');
  return losses;
}

function requestsOf(client: Client): readonly Request[] {
  const request = (kind: Kind, note: string | number) => (member: MemberId) => {
    return { key: `${kind} ${note} ${member}`, member, kind };
  };
  return wantedBy(client, request).filter(({ key }) => !client.sent.includes(key));
}

function wantedBy(
  client: Client,
  request: (kind: Kind, note: string | number) => (member: MemberId) => Request,
): readonly Request[] {
  if (client.type !== 'get') {
    const verdict = writeVerdict(client.write);
    if (verdict.type === 'ask') return verdict.members.map(request('ask', ''));
    return verdict.type === 'store' ? verdict.members.map(request('store', '')) : [];
  }
  const verdict = readVerdict(client.read);
  const { attempt } = client.read;
  if (verdict.type === 'ask')
    return [...verdict.value.map(request('value', attempt)), ...verdict.version.map(request('ask', attempt))];
  if (verdict.type !== 'write-back') return [];
  return verdict.members.map(request('store', `${attempt} ${verdict.version.wallMs}`));
}

function serve(
  world: World,
  rules: Rules,
  index: number,
  client: Client,
  request: Request,
  loss: Loss,
): World {
  const at = request.member - 1;
  const before = world.replicas[at] as Replica;
  const offered = request.kind === 'store' ? offeredBy(client) : undefined;
  const accepts = offered !== undefined && loss !== 'request' && accepted(before, client, offered);
  const after = accepts ? stored(before, offered, loss === 'unsynced') : before;
  const replicas = after === before ? world.replicas : world.replicas.with(at, after);
  const told = loss === 'nothing' ? answer(rules, client, request, after) : lose(client, request);
  const next = advance({ ...told, sent: [...told.sent, request.key] }, index);
  const { losses, unsynced } = world.budget;
  const budget = {
    ...world.budget,
    losses: losses - (loss === 'request' || loss === 'answer' ? 1 : 0),
    unsynced: unsynced - (loss === 'unsynced' ? 1 : 0),
  };
  return conclude({ ...world, replicas, budget }, rules, next, index);
}

/** A floor refuses clients' writes, a watermark write-backs as well. */
function accepted(replica: Replica, client: Client, version: Version): boolean {
  const bound = client.type === 'get' ? replica.watermark : replica.floor;
  return above(version, bound) && !holds(replica, version);
}

function stored(replica: Replica, version: Version, isUnsynced: boolean): Replica {
  if (!isUnsynced) return { ...replica, durable: version };
  return above(version, replica.unsynced) ? { ...replica, unsynced: version } : replica;
}

function conclude(world: World, rules: Rules, client: Client, index: number): World {
  const ended = outcomeOf(rules, client, index);
  const clients = world.clients.with(index, ended === undefined ? client : { ...client, state: 'ended' });
  if (ended === undefined || ended === 'failed') return { ...world, clients, mayBegin: false };
  const parcels = [...world.parcels, ...repairsOf(client)];
  return { ...world, clients, parcels, mayBegin: true, history: [...world.history, ended] };
}

function repairsOf(client: Client): readonly Parcel[] {
  if (client.type !== 'get') return [];
  const verdict = readVerdict(client.read);
  if (verdict.type !== 'answered' || verdict.found === undefined) return [];
  const { version } = verdict.found;
  return verdict.repairs.map((member) => {
    return { origin: 'repair', version, sourceWatermark: NO_VERSION, to: member - 1 };
  });
}

function offeredBy(client: Client): Version | undefined {
  if (client.type !== 'get') return client.write.version;
  const verdict = readVerdict(client.read);
  return verdict.type === 'write-back' ? verdict.version : undefined;
}

function answer(rules: Rules, client: Client, { member, kind }: Request, replica: Replica): Client {
  const { durable: version, floor, watermark } = replica;
  if (kind === 'store') return answerStore(rules, client, member, replica);
  if (client.type !== 'get')
    return hearing(client, {
      member,
      body: { type: 'versions', version, floor, watermark, clock: NO_VERSION },
    });
  const isFull = kind === 'value';
  return reading(client, {
    member,
    body: { type: 'sight', version, watermark, isFull, data: isFull ? version : undefined },
  });
}

function answerStore(rules: Rules, client: Client, member: MemberId, replica: Replica): Client {
  const offered = offeredBy(client) as Version;
  if (client.type !== 'get') {
    const failure = { type: 'refused' as const, code: 'BELOW_FLOOR' };
    return holds(replica, offered)
      ? hearing(client, { member, body: { type: 'held', version: replica.durable as Version } })
      : hearing(client, { member, body: { type: 'failed', request: 'store', failure } });
  }
  if (holds(replica, offered))
    return reading(client, { member, body: { type: 'held', version: replica.durable as Version } });
  const told = { ...client, sent: [...client.sent, refusalKey(client.read)] };
  if (rules.broken === 'refused write-back counts as held')
    return reading(told, { member, body: { type: 'held', version: offered } });
  return reading(told, { member, body: { type: 'below-watermark' } });
}

function lose(client: Client, { member, kind }: Request): Client {
  const failure = { type: 'unreachable' as const, code: 'LOST' };
  if (client.type === 'get') {
    const request = kind === 'store' ? ('write-back' as const) : ('ask' as const);
    return reading(client, { member, body: { type: 'failed', request, failure } });
  }
  const request = kind === 'store' ? ('store' as const) : ('ask' as const);
  return hearing(client, { member, body: { type: 'failed', request, failure } });
}

function hearing(
  client: Client & { type: 'put' | 'delete' },
  reply: Pick<WriteReply, 'member' | 'body'>,
): Client {
  return { ...client, write: hearWrite(client.write, { epoch: EPOCH, attempt: 1, ...reply }) };
}

function reading(
  client: Client & { type: 'get' },
  reply: Pick<ReadReply<Version>, 'member' | 'body'>,
): Client {
  const { attempt } = client.read;
  return { ...client, read: hearRead(client.read, { epoch: EPOCH, attempt, ...reply }) };
}

/** Stamps, and begins a read again, as soon as it may. */
function advance(client: Client, index: number): Client {
  if (client.type === 'get') {
    const { read } = client;
    const isOver = readVerdict(read).type !== 'restart' || read.attempt === ATTEMPTS_MAX;
    return isOver ? client : { ...client, read: restartRead(read, read.view) };
  }
  const verdict = writeVerdict(client.write);
  if (verdict.type !== 'stamp') return client;
  const version = { wallMs: verdict.above.wallMs + 1, counter: 0, member: index + 1 };
  return { ...client, write: stamped(client.write, version) };
}

function outcomeOf(rules: Rules, client: Client, index: number): Happened | 'failed' | undefined {
  const verdict = client.type === 'get' ? readVerdict(client.read) : writeVerdict(client.write);
  switch (verdict.type) {
    case 'acknowledged':
      return { client: index, event: 'ended', value: textOf(rules, verdict.version) };
    case 'answered':
      return { client: index, event: 'ended', value: textOf(rules, verdict.found?.data) };
    case 'failed':
    case 'restart':
      return 'failed';
    default:
      return undefined;
  }
}
