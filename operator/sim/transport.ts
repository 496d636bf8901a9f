import { Readable } from 'node:stream';
import { KubeError } from '../kube/kube-error.ts';
import type { KubeRequest, KubeTransport } from '../kube/kube-request.ts';
import type { FakeCall } from '../testing/fake-api-server-call.ts';
import type { SimApi } from './api.ts';
import type { Checks } from './checks.ts';
import type { CallFaults } from './faults.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { SimWatches } from './watches.ts';

const DEADLINE_MS = 30_000;

export type TransportDeps = {
  readonly api: SimApi;
  readonly watches: SimWatches;
  readonly faults: CallFaults;
  readonly checks: Checks;
  /** What the server fails for as long as something is wrong with it. */
  readonly isRefused: (call: FakeCall) => boolean;
  /** Of the world: what is on its way goes on after the death of who sent it. */
  readonly after: (delayMs: number, what: () => void) => { cancel(): void };
  readonly process: OperatorProcess;
};

/** Calls of one operator: each takes its time both ways, may fail on either, and may be the last thing that the operator does. */
export class SimTransport implements KubeTransport {
  readonly #deps: TransportDeps;

  constructor(deps: TransportDeps) {
    this.#deps = deps;
  }

  json(request: KubeRequest, signal?: AbortSignal): Promise<unknown> {
    return this.#send(request, signal, (call) => this.#deps.api.answer(call));
  }

  stream(request: KubeRequest, signal: AbortSignal): Promise<Readable> {
    const { watches, process } = this.#deps;
    return this.#send(request, signal, (call) => watches.open(call, process));
  }

  #send<T>(request: KubeRequest, signal: AbortSignal | undefined, effect: (call: FakeCall) => T): Promise<T> {
    const { api, process, after, checks, faults } = this.#deps;
    signal?.throwIfAborted();
    const call = api.callOf(request);
    return new Promise<T>((resolve, reject) => {
      if (!process.isAlive) return;
      const fate = faults.fateOf(call);
      const what = `${call.verb} ${call.path}`;
      const end = (settle: () => void): void => {
        deadline.cancel();
        signal?.removeEventListener('abort', abort);
        process.deliver(settle);
      };
      const abort = (): void => end(() => reject(signal?.reason));
      const fail = (reason: 'Timeout' | 'Unreachable') => (): void =>
        end(() => reject(new KubeError(0, reason, `${what}: a fault`)));
      const deadline = after(DEADLINE_MS, fail('Timeout'));
      signal?.addEventListener('abort', abort);
      if (fate.death === 'before') return process.die(`before ${what}`);
      checks.sent(call, process, signal);
      if (fate.pauseMs !== undefined) process.pause(fate.pauseMs);
      after(fate.sendMs, () => {
        if (fate.loss === 'request') return void after(fate.backMs, fail('Unreachable'));
        const refusal = fate.refusal ?? this.#refusalOf(call);
        const outcome = refusal === undefined ? this.#outcome(call, effect, signal) : { error: refusal };
        if (fate.death === 'after') process.die(`after ${what}`);
        if (fate.loss === 'answer') return void after(fate.backMs, fail('Unreachable'));
        if (fate.loss === 'silence') return;
        after(fate.backMs, () =>
          end(() => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value))),
        );
      });
    });
  }

  #refusalOf(call: FakeCall): KubeError | undefined {
    if (!this.#deps.isRefused(call)) return undefined;
    return new KubeError(500, 'InternalError', `${call.verb} ${call.path}: a webhook does not answer`);
  }

  #outcome<T>(
    call: FakeCall,
    effect: (call: FakeCall) => T,
    signal: AbortSignal | undefined,
  ): { readonly value: T } | { readonly error: KubeError } {
    const judge = this.#deps.checks.judge(call, signal);
    try {
      const value = effect(call);
      judge();
      return { value };
    } catch (error) {
      if (error instanceof KubeError) return { error };
      throw error;
    }
  }
}

/** A body that says what is pushed. */
export function openBody(): Readable {
  const body = new Readable({ read: () => undefined });
  // Cut before anybody reads it, or when its reader is dead.
  return body.on('error', () => undefined);
}
