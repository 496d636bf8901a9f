import type { ReplicaRequest } from '../../peer/replica-messages.ts';
import type { ReplicaOutcome } from '../types.ts';
import type { TimeoutBucket, TimeoutEntry } from './timeouts.ts';

type UnreachableCode = Extract<ReplicaOutcome, { readonly type: 'unreachable' }>['code'];
export type OnEnd = (outcome: ReplicaOutcome) => void;

const outcome = (code: UnreachableCode): ReplicaOutcome => Object.freeze({ type: 'unreachable', code });
export const UNREACHABLE: Readonly<Record<UnreachableCode, ReplicaOutcome>> = {
  TIMEOUT: outcome('TIMEOUT'),
  UNREACHABLE: outcome('UNREACHABLE'),
  OVERLOADED: outcome('OVERLOADED'),
  STOPPING: outcome('STOPPING'),
};

/** Who holds a request while it waits. */
export type Holder = { end(waiting: WaitingRequest, outcome: ReplicaOutcome): void };

/** A request from its asking to its end. */
export class WaitingRequest implements TimeoutEntry<WaitingRequest> {
  readonly id: number;
  readonly bytes: number;
  readonly dueMs: number;
  readonly holder: Holder;
  readonly onEnd: OnEnd;
  /** Until it is sent. */
  request: ReplicaRequest | undefined;
  isEnded = false;
  bucket: TimeoutBucket<WaitingRequest> | undefined;
  previous: WaitingRequest | undefined;
  next: WaitingRequest | undefined;
  /** Only `WaitingTable` writes it. */
  nextInTable: WaitingRequest | undefined;

  constructor(
    options: { readonly id: number; readonly bytes: number; readonly dueMs: number },
    deps: {
      readonly holder: Holder;
      readonly request: ReplicaRequest | undefined;
      readonly onEnd: OnEnd;
    },
  ) {
    this.id = options.id;
    this.bytes = options.bytes;
    this.dueMs = options.dueMs;
    this.holder = deps.holder;
    this.request = deps.request;
    this.onEnd = deps.onEnd;
  }
}
