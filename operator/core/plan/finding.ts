import type { Act } from './act.ts';

/** What a finding is about: the condition that tells of it. */
export type Concern = 'spec' | 'children' | 'start' | 'store' | 'scale' | 'upgrade' | 'heal' | 'storage';

/**
 * What a rule comes to. `act`: can be done now. `wait`: something is under way, or another one's turn. `refuse`: will not be done
 * until somebody changes something; it is looked at again all the same. A blocking one keeps all later rules from being asked: they would rest
 * on what is not so.
 */
export type Finding =
  | { readonly type: 'act'; readonly act: Act; readonly concern: Concern; readonly message: string }
  | NoteFinding;

export type NoteFinding = Note & {
  readonly type: 'wait' | 'refuse';
  readonly isBlocking: boolean;
  readonly requeueMs: number;
};

export type Note = { readonly concern: Concern; readonly reason: string; readonly message: string };

export const SOON_MS = 2000;
export const WAIT_MS = 5000;
/** Somebody has to do something first. */
export const REFUSED_MS = 30_000;
/** Nothing to do: what is not told of by a watch, such as the state of the store, is seen within this time. */
export const IDLE_MS = 30_000;

export function act(concern: Concern, message: string, what: Act): Finding {
  return { type: 'act', act: what, concern, message };
}

export function wait(concern: Concern, reason: string, message: string, requeueMs = WAIT_MS): Finding {
  return { type: 'wait', concern, reason, message, requeueMs, isBlocking: false };
}

export function refuse(concern: Concern, reason: string, message: string): Finding {
  return { type: 'refuse', concern, reason, message, requeueMs: REFUSED_MS, isBlocking: false };
}

export function blocking(finding: Finding): Finding {
  return finding.type === 'act' ? finding : { ...finding, isBlocking: true };
}
