import { entry, passing, unsettled } from './error-entry.ts';

/** The codes of replicated data. */
export const dataErrors = {
  BAD_HEADER: entry(400, 'A header is not valid', 'Correct the header that is named.'),
  EPOCH_IN_FUTURE: entry(
    400,
    'The cluster has no such epoch yet',
    'Read GET /v1/ring again: the epoch in Kvorum-Epoch is of another cluster, or made up.',
  ),
  IDEMPOTENCY_MISMATCH: entry(
    422,
    'The idempotency key belongs to another request',
    'Use a new Idempotency-Key for each write, and the same one only to repeat it unchanged.',
  ),
  QUORUM_NOT_MET: unsettled(
    503,
    'Too few replicas answered',
    'Look at answers for who said what. With outcome unknown a write may have been done: read the key before writing again.',
  ),
  CLOCK_SKEW: unsettled(
    503,
    'The clock of this node is too far from the others',
    'Ask another node, and set the clock of this one (NTP); the difference allowed is clock.skewMsMax.',
  ),
  STALE_EPOCH: passing(
    503,
    'A replica knows a newer epoch of the partition',
    'Nothing to do: nodes say it to each other and ask again under the newer epoch. It never leaves a node; report it where you see it.',
  ),
  REPLICA_OUT: passing(
    503,
    'The replica has taken itself out',
    'Ask another node. See GET /v1/repair for why, and keep the other replicas of its data up.',
  ),
  DEADLINE_EXCEEDED: unsettled(
    504,
    'The request was not done in its time',
    'Ask for more time with timeoutMs. With outcome unknown a write may have been done: read the key before writing again.',
  ),
} as const;
