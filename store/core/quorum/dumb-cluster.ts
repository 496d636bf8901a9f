import type { MemberId } from '../raft/types.ts';
import { toEpoch } from '../topology/types.ts';
import { compareVersions, type Version } from '../version/version.ts';
import { hearRead, type Read, type ReadReply, readVerdict, startRead } from './read-decision.ts';
import type { PartitionView } from './replica-sets.ts';
import {
  DEFAULT_LEVELS,
  hearWrite,
  stamped,
  startWrite,
  type Write,
  type WriteReply,
  writeVerdict,
} from './write-decision.ts';

/**
 * A register on three dumb replicas for an exhaustive search: every step says what may happen next. A replica answers in
 * the turn in which it is asked; a late answer does no more than a late next step does. A loss takes the request, or the
 * answer of one that was served; the coordinator then hears `unreachable`.
 */
export type World = {
  /** What each replica holds; a value is its version. */
  readonly replicas: ReadonlyMap<MemberId, Version>;
  readonly clients: readonly Client[];
  readonly lossesLeft: number;
  /** Since the last end nothing was sent: to begin any later is, to a checker, to begin now and to wait. */
  readonly mayBegin: boolean;
  /** What clients saw, in order: `client` began, or ended with a version (undefined: nothing). */
  readonly history: readonly Happened[];
};

export type Client =
  | {
      readonly type: 'writer';
      readonly clockMs: number;
      readonly write: Write;
      readonly sent: readonly string[];
      readonly state: State;
    }
  | {
      readonly type: 'reader';
      readonly read: Read<Version>;
      readonly sent: readonly string[];
      readonly state: State;
    };

type State = 'idle' | 'running' | 'ended';
export type Happened = {
  readonly client: number;
  readonly event: 'began' | 'ended';
  readonly version?: Version | undefined;
};

/** Sends one request of a client; `lost` is what the network loses of it. */
type Request = { readonly key: string; readonly member: MemberId; readonly kind: 'ask' | 'value' | 'store' };
type Loss = 'nothing' | 'request' | 'answer';

const NOTHING: Version = { wallMs: 0, counter: 0, member: 0 };
const EPOCH = toEpoch(1);

/** A client that prefers the replicas in the order of `set`. */
export const writer = (set: readonly MemberId[], clockMs: number): Client => {
  const write = startWrite(viewOf(set), DEFAULT_LEVELS);
  return { type: 'writer', clockMs, write, sent: [], state: 'idle' };
};
export const reader = (set: readonly MemberId[]): Client => {
  return { type: 'reader', read: startRead(viewOf(set), 'quorum'), sent: [], state: 'idle' };
};
const viewOf = (set: readonly MemberId[]): PartitionView => ({ epoch: EPOCH, sets: { type: 'still', set } });

/** Every world that one step leads to. */
export function nextWorlds(world: World): readonly World[] {
  return world.clients.flatMap((client, index) => {
    if (client.state === 'ended') return [];
    if (client.state === 'idle') return canBegin(world, index) ? [begin(world, index, client)] : [];
    return requestsOf(client).flatMap((request) => {
      const losses: readonly Loss[] = world.lossesLeft > 0 ? lossesOf(request) : ['nothing'];
      return losses.map((loss) => serve(world, index, client, request, loss));
    });
  });
}

/** The loss of a question and of its answer are one to the coordinator. */
const lossesOf = ({ kind }: Request): readonly Loss[] =>
  kind === 'store' ? ['nothing', 'request', 'answer'] : ['nothing', 'request'];

/** Those that begin together do so in the order of their numbers. */
function canBegin({ mayBegin, history }: World, index: number): boolean {
  const last = history.at(-1);
  return mayBegin && (last === undefined || last.event === 'ended' || last.client < index);
}

function begin(world: World, index: number, client: Client): World {
  const history = [...world.history, { client: index, event: 'began' as const }];
  return { ...world, clients: world.clients.with(index, { ...client, state: 'running' }), history };
}

function requestsOf(client: Client): readonly Request[] {
  const request =
    (kind: Request['kind'], note = '') =>
    (member: MemberId) => ({ key: `${kind}${note} ${member}`, member, kind });
  const open = wantedBy(client, request);
  return open.filter(({ key }) => !client.sent.includes(key));
}

type ToRequest = (kind: Request['kind'], note?: string) => (member: MemberId) => Request;

function wantedBy(client: Client, request: ToRequest): readonly Request[] {
  if (client.type === 'writer') {
    const verdict = writeVerdict(client.write);
    if (verdict.type === 'ask') return verdict.members.map(request('ask'));
    return verdict.type === 'store' ? verdict.members.map(request('store')) : [];
  }
  const verdict = readVerdict(client.read);
  if (verdict.type === 'ask')
    return [...verdict.value.map(request('value')), ...verdict.version.map(request('ask'))];
  return verdict.type === 'write-back'
    ? verdict.members.map(request('store', String(verdict.version.wallMs)))
    : [];
}

function serve(world: World, index: number, client: Client, request: Request, loss: Loss): World {
  const offered = offeredBy(client);
  const before = world.replicas.get(request.member) ?? NOTHING;
  const isApplied = request.kind === 'store' && loss !== 'request' && compareVersions(offered, before) > 0;
  const replicas = isApplied ? new Map(world.replicas).set(request.member, offered) : world.replicas;
  const sees = replicas.get(request.member) ?? NOTHING;
  const heard = loss === 'nothing' ? answer(client, request, sees) : lose(client, request);
  const told = settle({ ...heard, sent: [...client.sent, request.key] });
  const ended = outcomeOf(told, index);
  const clients = world.clients.with(index, ended === undefined ? told : { ...told, state: 'ended' });
  const lossesLeft = world.lossesLeft - (loss === 'nothing' ? 0 : 1);
  if (ended === undefined || ended === 'failed')
    return { ...world, replicas, clients, lossesLeft, mayBegin: false };
  return { replicas, clients, lossesLeft, history: [...world.history, ended], mayBegin: true };
}

function offeredBy(client: Client): Version {
  if (client.type === 'writer') return client.write.version ?? NOTHING;
  const verdict = readVerdict(client.read);
  return verdict.type === 'write-back' ? verdict.version : NOTHING;
}

function answer(client: Client, { member, kind }: Request, sees: Version): Client {
  const version = sees === NOTHING ? undefined : sees;
  if (client.type === 'writer') {
    const known = { type: 'versions' as const, version, floor: NOTHING, watermark: NOTHING, clock: NOTHING };
    return hearing(client, { member, body: kind === 'ask' ? known : { type: 'held', version: sees } });
  }
  const isFull = kind === 'value';
  const sight = {
    type: 'sight' as const,
    version,
    watermark: NOTHING,
    isFull,
    data: isFull ? version : undefined,
  };
  return reading(client, { member, body: kind === 'store' ? { type: 'held', version: sees } : sight });
}

function lose(client: Client, { member, kind }: Request): Client {
  const failure = { type: 'unreachable' as const, code: 'LOST' };
  if (client.type === 'reader') {
    const request = kind === 'store' ? ('write-back' as const) : ('ask' as const);
    return reading(client, { member, body: { type: 'failed', request, failure } });
  }
  return hearing(client, {
    member,
    body: { type: 'failed', request: kind === 'store' ? 'store' : 'ask', failure },
  });
}

const FIRST = { epoch: EPOCH, attempt: 1 };
const hearing = (client: Client & { type: 'writer' }, reply: Pick<WriteReply, 'member' | 'body'>): Client => {
  return { ...client, write: hearWrite(client.write, { ...FIRST, ...reply }) };
};
const reading = (
  client: Client & { type: 'reader' },
  reply: Pick<ReadReply<Version>, 'member' | 'body'>,
): Client => {
  return { ...client, read: hearRead(client.read, { ...FIRST, ...reply }) };
};

/** Stamps as soon as it may: above what the answers say, or at the writer's clock where that is higher. */
function settle(client: Client): Client {
  if (client.type === 'reader') return client;
  const verdict = writeVerdict(client.write);
  if (verdict.type !== 'stamp') return client;
  const wallMs = Math.max(verdict.above.wallMs + 1, client.clockMs);
  return { ...client, write: stamped(client.write, { wallMs, counter: 0, member: client.clockMs }) };
}

function outcomeOf(client: Client, index: number): Happened | 'failed' | undefined {
  const verdict = client.type === 'writer' ? writeVerdict(client.write) : readVerdict(client.read);
  switch (verdict.type) {
    case 'acknowledged':
      return { client: index, event: 'ended', version: verdict.version };
    case 'answered':
      return { client: index, event: 'ended', version: verdict.found?.data };
    case 'failed':
      return 'failed';
    default:
      return undefined;
  }
}

/** Equal for worlds with the same future and the same past to a checker. */
export function keyOf(world: World): string {
  const past = world.history.map(
    ({ client, event, version }) => `${client}${event === 'ended' ? `=${version?.wallMs}` : ''}`,
  );
  return [
    byMember(world.replicas, (version) => version.wallMs),
    world.lossesLeft,
    world.mayBegin,
    ...past,
    ...world.clients.map(keyOfClient),
  ].join(' ');
}

function keyOfClient(client: Client): string {
  if (client.state === 'idle') return '-';
  if (client.type === 'writer') return writerKey(client);
  if (client.state === 'ended') return '.';
  const { sights, held, lost, notWritten } = client.read;
  const seen = byMember(sights, ({ version, isFull }) => `${version?.wallMs}${isFull}`);
  return [
    seen,
    byMember(held, ({ wallMs }) => wallMs),
    byMember(lost, () => ''),
    byMember(notWritten, () => ''),
  ].join('/');
}

function writerKey({ state, write }: Client & { type: 'writer' }): string {
  if (state === 'ended') return `.${write.version?.wallMs}`;
  if (write.version !== undefined)
    return `${write.version.wallMs}/${byMember(write.stored, ({ type }) => type)}`;
  return byMember(write.asked, (answer) => (answer.type === 'versions' ? (answer.version?.wallMs ?? 0) : ''));
}

type Known<Value> = { has(member: MemberId): boolean; get(member: MemberId): Value | undefined };

function byMember<Value>(map: Known<Value>, text: (value: Value) => string | number): string {
  return [1, 2, 3].map((member) => (map.has(member) ? text(map.get(member) as Value) : '-')).join();
}
