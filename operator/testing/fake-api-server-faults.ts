import type { FakeCall } from './fake-api-server-call.ts';

/** What a call meets instead of its answer. */
export type Fault =
  /** An error answer; the call has no effect. */
  | {
      readonly type: 'status';
      readonly status: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfterS?: number;
    }
  /** No answer, ever; with `isApplied` the call has its effect nevertheless. */
  | { readonly type: 'hang'; readonly isApplied?: boolean }
  /** The connection is cut instead of an answer; with `isApplied` the call has its effect nevertheless. */
  | { readonly type: 'drop'; readonly isApplied?: boolean };

export type FaultPlan = {
  /** Calls that meet the fault; default 1. */
  readonly times?: number;
  /** Which calls; default all. */
  readonly when?: (call: FakeCall) => boolean;
};

/** Sees each call before it has any effect; what it returns is the call's fault. */
export type CallHook = (call: FakeCall) => Fault | undefined | Promise<Fault | undefined>;

type Planned = { readonly fault: Fault; left: number; readonly when: (call: FakeCall) => boolean };

export class Faults {
  readonly #planned: Planned[] = [];
  #hook: CallHook = () => undefined;

  inject(fault: Fault, { times = 1, when = () => true }: FaultPlan = {}): void {
    this.#planned.push({ fault, left: times, when });
  }

  onCall(hook: CallHook): void {
    this.#hook = hook;
  }

  clear(): void {
    this.#planned.length = 0;
    this.#hook = () => undefined;
  }

  async of(call: FakeCall): Promise<Fault | undefined> {
    const hooked = await this.#hook(call);
    if (hooked !== undefined) return hooked;
    const planned = this.#planned.find(({ left, when }) => left > 0 && when(call));
    if (planned === undefined) return undefined;
    planned.left--;
    return planned.fault;
  }
}
