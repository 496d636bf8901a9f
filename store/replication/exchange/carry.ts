import type { MemberId } from '../../core/raft/types.ts';
import type { KeyAt, PartitionAt } from '../../peer/data-messages.ts';
import type { ReplicaReplyBody, ReplicaRequestBody } from '../../peer/replica-messages.ts';
import type { ReplicaClient } from '../types.ts';
import type { Pacer } from './pacer.ts';

export type CarryOptions = { readonly self: MemberId; readonly requestMs: number };
export type CarryDeps = {
  readonly client: ReplicaClient;
  /** Of the way to or from a member. */
  readonly pacerOf: (member: MemberId) => Pacer;
};

export type Cargo = PartitionAt & KeyAt & { readonly from: MemberId; readonly to: readonly MemberId[] };

export type Carried = {
  /** Replicas that hold the record, or a newer one, and did not before. */
  readonly stored: number;
  /** Bytes of records that travelled between members. */
  readonly bytes: number;
  /** Targets that may have collected it meanwhile. */
  readonly ignored: number;
  /** Why a source or target did nothing, if one did; `isFatal`: it would do nothing for other keys either. */
  readonly problem: { readonly reason: string; readonly isFatal: boolean } | undefined;
};

/** Of one key alone; anything else that a replica refuses holds for the whole partition. */
const KEY_REFUSALS: readonly string[] = ['RECORD_CORRUPT', 'NAMESPACE_NOT_FOUND', 'CLOCK_SKEW'];

/** Brings what `from` holds of a key to others, with its watermark as it read the record: they judge by it. */
export async function carry(
  { self, requestMs }: CarryOptions,
  { client, pacerOf }: CarryDeps,
  cargo: Cargo,
  signal: AbortSignal,
): Promise<Carried> {
  const { from, to, partition, epoch, namespaceId, key } = cargo;
  const ask = async (member: MemberId, body: ReplicaRequestBody): Promise<Body> => {
    const outcome = await client.ask(
      { to: member, partition, epoch, namespaceId, key, body },
      { timeoutMs: requestMs },
    );
    return outcome.type === 'reply' ? outcome.reply.body : outcome;
  };
  const sight = await ask(from, { type: 'read', isFull: true });
  if (sight.type !== 'sight') return { ...NOTHING, problem: problemOf(from, sight) };
  const { record, watermark } = sight;
  // It was collected since it was listed.
  if (record === undefined) return NOTHING;
  const remotes = [from, ...to].filter((member) => member !== self);
  await Promise.all(remotes.map((member) => pacerOf(member).take(record.length, signal)));
  const body = { type: 'store', origin: 'exchange', record, sourceWatermark: watermark } as const;
  const answers = await Promise.all(to.map(async (member) => judge(member, await ask(member, body))));
  return answers.reduce(plus, { ...NOTHING, bytes: record.length * remotes.length });
}

type Body = ReplicaReplyBody | { readonly type: 'unreachable'; readonly code: string };

export const NOTHING: Carried = { stored: 0, bytes: 0, ignored: 0, problem: undefined };

export function plus(a: Carried, b: Carried): Carried {
  const problem = a.problem?.isFatal ? a.problem : (b.problem ?? a.problem);
  return { stored: a.stored + b.stored, bytes: a.bytes + b.bytes, ignored: a.ignored + b.ignored, problem };
}

function judge(member: MemberId, body: Body): Carried {
  if (body.type === 'held') return { ...NOTHING, stored: 1 };
  if (body.type === 'refused' && body.code === 'BELOW_WATERMARK') return { ...NOTHING, ignored: 1 };
  return { ...NOTHING, problem: problemOf(member, body) };
}

/** A refusal under another epoch is dropped, and the key read again some other time: it is never sent under a new label. */
export function problemOf(member: MemberId, body: Body): NonNullable<Carried['problem']> {
  if (body.type !== 'refused' && body.type !== 'unreachable')
    return { reason: `member ${member} answered with ${body.type}`, isFatal: true };
  const detail = body.type === 'refused' && body.message !== '' ? `: ${body.message}` : '';
  return { reason: `member ${member}: ${body.code}${detail}`, isFatal: !KEY_REFUSALS.includes(body.code) };
}
