import type { Failure, Said } from '../../core/quorum/reply.ts';
import type { MemberId } from '../../core/raft/types.ts';
import { KvError, type KvErrorCode, type ReplicaAnswer } from '../../storage/errors.ts';
import type { ReplicaSaid } from '../../storage/kv-store.ts';
import type { Routing } from '../types.ts';

export type Outcome = 'unwritten' | 'unknown';

/** What is known of a request that failed. A read has no outcome. */
export type FailureReport = {
  readonly kind: 'read' | 'write';
  readonly outcome: Outcome | undefined;
  readonly needed: number;
  readonly answers: readonly Said[];
};

/** Refusals that say more than that a quorum was missed. */
const SPECIFIC: ReadonlySet<string> = new Set<KvErrorCode>([
  'NAMESPACE_NOT_FOUND',
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'RECORD_CORRUPT',
  'OVERLOADED',
  'REPLICA_OUT',
  'CLOCK_SKEW',
]);

/** The code that explains why too few of `set` answered: without its refusals there would be enough. */
export function specificCode(
  set: readonly MemberId[],
  needed: number,
  failureOf: (member: MemberId) => Failure | undefined,
): KvErrorCode | undefined {
  const counts = new Map<string, number>();
  let failures = 0;
  for (const member of set) {
    const failure = failureOf(member);
    if (failure === undefined) continue;
    failures += 1;
    counts.set(failure.code, (counts.get(failure.code) ?? 0) + 1);
  }
  const [code, most] =
    [...counts].filter(([each]) => SPECIFIC.has(each)).sort(([, a], [, b]) => b - a)[0] ?? [];
  if (code === undefined || most === undefined) return undefined;
  return set.length - (failures - most) >= needed ? (code as KvErrorCode) : undefined;
}

/** `QUORUM_NOT_MET`: too few replicas answered. */
export function quorumNotMet(routing: Routing, report: FailureReport): KvError {
  const { needed, answers } = report;
  return told(
    'QUORUM_NOT_MET',
    `needs ${needed} of ${answers.length} replicas, and got too few`,
    routing,
    report,
  );
}

/** `DEADLINE_EXCEEDED`: the time of the request ended while a quorum could still answer. */
export function deadlineExceeded(routing: Routing, report: FailureReport): KvError {
  return told('DEADLINE_EXCEEDED', 'was not done in its time', routing, report);
}

/** Replicas refused, for a reason of its own. */
export function refusedBy(code: KvErrorCode, routing: Routing, report: FailureReport): KvError {
  return told(code, `was refused with ${code}`, routing, report);
}

export function named(routing: Routing, answers: readonly Said[]): ReplicaSaid[] {
  return answers.map(({ member, said }) => ({ member, name: routing.nameOf(member), said }));
}

function told(code: KvErrorCode, what: string, routing: Routing, report: FailureReport): KvError {
  const { kind, outcome, needed, answers } = report;
  const list: ReplicaAnswer[] = answers.map(({ member, said }) => ({
    member,
    node: routing.nameOf(member),
    said,
  }));
  const said = list.map(({ node, said: text }) => `${node}: ${text}`).join(', ');
  const data = { needed, answers: list };
  return new KvError(
    code,
    `the ${kind} ${what} (${said}). ${consequence(outcome)}`,
    outcome === undefined ? data : { outcome, ...data },
  );
}

function consequence(outcome: Outcome | undefined): string {
  switch (outcome) {
    case undefined:
      return 'Nothing was changed; it may be tried again';
    case 'unwritten':
      return 'Nothing was written; it may be tried again';
    case 'unknown':
      return (
        'The outcome is unknown: the write may be seen now, later or never; ' +
        'read the key, or try again with the idempotency key of the first try'
      );
  }
}
