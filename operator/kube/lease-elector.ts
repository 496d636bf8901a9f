import { type Clock, sleep } from '../../store/ports/clock.ts';
import type { Random } from '../../store/ports/random.ts';
import { jittered } from './back-off.ts';
import type { KubeClient } from './kube-client.ts';
import { isAlreadyExists, isConflict } from './kube-error.ts';
import type { KubeLog } from './kube-log.ts';
import { microTime } from './micro-time.ts';
import { type Lease, leases } from './resources.ts';

export type LeaseElectorOptions = {
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Must differ between all that take part; that of a pod and something random. */
  readonly identity: string;
  /** Others may lead when nobody renewed for so long. Default 15 s. */
  readonly leaseMs?: number;
  /** A leader that could not renew for so long leads no more. Shorter than the lease. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Between two tries. Default 2 s. */
  readonly retryMs?: number;
};

export type LeaseElectorDeps = {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'update'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: KubeLog;
  /** Told whenever this one begins or ends leading. */
  readonly onChange?: (isLeading: boolean) => void;
};

/** `lost`: somebody else may lead now; who was told to lead ends at once. `stopped`: by our own signal. */
export type LeadingEnd = 'lost' | 'stopped';

type LeaseSpec = NonNullable<Lease['spec']>;

/** What was last seen of the lease, and when, on our own clock. */
type Observed = { readonly lease: Lease; readonly atMs: number };

const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2000;
/** While it waits for the lease, a candidate tries after up to so much more than retryMs. */
const JITTER = 1.2;
const LOST = 'the lease was lost';

/**
 * Leader election by a Lease, as client-go does it: whoever holds the lease leads; others take it when they have not
 * seen it change for the time that it says. They go by how long ago they saw the change, never by the times in the
 * lease, so that clocks may be wrong (their rates not by more than leaseMs to renewDeadlineMs). Each write is bound to
 * the version that was read: of two who take it, one gets a conflict.
 */
export class LeaseElector {
  readonly #options: Required<LeaseElectorOptions>;
  readonly #deps: LeaseElectorDeps;
  #observed: Observed | undefined;
  /** When the last renewal that succeeded was sent; undefined when we do not lead. */
  #renewedMs: number | undefined;

  constructor(options: LeaseElectorOptions, deps: LeaseElectorDeps) {
    const defaults = { leaseMs: LEASE_MS, renewDeadlineMs: RENEW_DEADLINE_MS, retryMs: RETRY_MS };
    this.#options = { ...defaults, ...options };
    this.#deps = deps;
    const { leaseMs, renewDeadlineMs, retryMs } = this.#options;
    if (leaseMs <= renewDeadlineMs || renewDeadlineMs <= retryMs * JITTER)
      throw new RangeError(
        `leaseMs (${leaseMs}) must exceed renewDeadlineMs (${renewDeadlineMs}), and that retryMs (${retryMs}) times ${JITTER}`,
      );
  }

  /** True only while nobody else can hold the lease, also where a timer is late. */
  get isLeading(): boolean {
    return (
      this.#renewedMs !== undefined &&
      this.#deps.clock.monotonicMs() < this.#renewedMs + this.#options.renewDeadlineMs
    );
  }

  /** Throws where somebody else may lead by now: whoever stood still may not have heard of it yet. */
  readonly assertLeading = (): void => {
    if (!this.isLeading) throw new Error(LOST);
  };

  /** Who was seen to hold the lease last. */
  get leader(): string | undefined {
    return this.#observed?.lease.spec?.holderIdentity || undefined;
  }

  /**
   * Waits for the lease, then calls `lead` with a signal that is aborted when leading ends. When `signal` ends it, the
   * lease is given back after `lead` has returned, so that the next one need not wait. When it was lost, this returns at
   * once, whether `lead` has returned or not.
   */
  async run(lead: (leading: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<LeadingEnd> {
    await this.#acquire(signal);
    if (!this.isLeading) return 'stopped';
    const leading = new AbortController();
    this.#changed(true);
    const work = this.#work(lead, leading.signal);
    const end = await this.#keep(signal);
    leading.abort(new Error(end === 'lost' ? LOST : 'the operator stops'));
    if (end === 'stopped') {
      await this.#keepUntil(work);
      await this.#release();
    }
    this.#renewedMs = undefined;
    this.#changed(false);
    return end;
  }

  async #work(lead: (leading: AbortSignal) => Promise<void>, leading: AbortSignal): Promise<void> {
    try {
      await lead(leading);
    } catch (error) {
      if (!leading.aborted) this.#deps.log.error({ err: error }, 'what the leader does failed');
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#deps;
    log.info({ identity: this.#options.identity }, 'waits for the lease');
    while (!signal.aborted) {
      await this.#try(signal);
      if (this.isLeading) return;
      await sleep(clock, jittered(this.#options.retryMs, JITTER, random), signal);
    }
  }

  /** Renews until it is too late or not wanted any more. */
  async #keep(signal: AbortSignal): Promise<LeadingEnd> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await sleep(clock, Math.min(this.#options.retryMs, this.#leftMs()), signal);
      if (signal.aborted) break;
      if (!this.isLeading) return 'lost';
      // A renewal that hangs must not outlive the time that we have.
      await this.#within(this.#leftMs(), signal, (both) => this.#try(both));
      if (!this.isLeading) return 'lost';
    }
    return 'stopped';
  }

  /** What is under way is finished as the leader. */
  async #keepUntil(work: Promise<void>): Promise<void> {
    const done = new AbortController();
    const finished = work.then(() => done.abort());
    await this.#keep(done.signal);
    // A lease that was lost meanwhile changes nothing: it was told to end already.
    await finished;
  }

  async #within(
    ms: number,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const both = new AbortController();
    const abort = (): void => both.abort();
    const timer = this.#deps.clock.setTimer(ms, abort);
    signal?.addEventListener('abort', abort);
    try {
      await work(both.signal);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  #leftMs(): number {
    const endMs = (this.#renewedMs ?? 0) + this.#options.renewDeadlineMs;
    return Math.max(0, endMs - this.#deps.clock.monotonicMs());
  }

  /** Takes or renews the lease where it may; every failure means that it does not have it yet, or not any longer. */
  async #try(signal: AbortSignal): Promise<void> {
    const sentMs = this.#deps.clock.monotonicMs();
    try {
      const lease = await this.#takeOrRenew(sentMs, signal);
      if (lease === undefined) return;
      this.#observe(lease);
      this.#renewedMs = sentMs;
    } catch (error) {
      if (signal.aborted) return;
      // Somebody else wrote it: what is known of it is old.
      if (isConflict(error) || isAlreadyExists(error))
        this.#deps.log.debug({ err: error }, 'another one took the lease');
      else this.#deps.log.warn({ err: error }, 'the lease could not be read or written');
    }
  }

  /** Undefined where somebody else holds it. */
  async #takeOrRenew(sentMs: number, signal: AbortSignal): Promise<Lease | undefined> {
    const { client } = this.#deps;
    const { namespace, name, identity } = this.#options;
    const found = await client.get(leases, { namespace, name }, signal);
    if (found === undefined) {
      this.#lose();
      return await client.create(
        leases,
        { metadata: { namespace, name }, spec: this.#spec(undefined) },
        signal,
      );
    }
    this.#observe(found);
    const holder = found.spec?.holderIdentity;
    if (holder !== identity) {
      this.#lose();
      if (holder && !this.#isOver(sentMs)) return undefined;
    }
    return await client.update(leases, { ...found, spec: this.#spec(found.spec) }, signal);
  }

  /** It is somebody else's, or nobody's: whatever is left of our time, we lead no more. */
  #lose(): void {
    this.#renewedMs = undefined;
  }

  #observe(lease: Lease): void {
    const known = this.#observed?.lease.metadata.resourceVersion;
    if (known === lease.metadata.resourceVersion) return;
    this.#observed = { lease, atMs: this.#deps.clock.monotonicMs() };
  }

  /** Its holder did not renew it for as long as it promised to, counted from when we saw it change. */
  #isOver(nowMs: number): boolean {
    if (this.#observed === undefined) return false;
    const { lease, atMs } = this.#observed;
    const leaseMs = (lease.spec?.leaseDurationSeconds ?? this.#options.leaseMs / 1000) * 1000;
    return nowMs >= atMs + leaseMs;
  }

  #spec(before: LeaseSpec | undefined): LeaseSpec {
    const { identity, leaseMs } = this.#options;
    const now = microTime(this.#deps.clock.nowMs());
    const isOurs = before?.holderIdentity === identity;
    return {
      ...before,
      ...{ holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseMs / 1000), renewTime: now },
      acquireTime: isOurs ? (before.acquireTime ?? now) : now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (isOurs || before === undefined ? 0 : 1),
    };
  }

  /** Gives the lease back, if it is still as we wrote it; whoever waits takes it at the next try. */
  async #release(): Promise<void> {
    const { client, clock, log } = this.#deps;
    if (!this.isLeading || this.#observed === undefined) return;
    const { lease } = this.#observed;
    const now = microTime(clock.nowMs());
    const spec = {
      ...lease.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: now,
      acquireTime: now,
    };
    try {
      await this.#within(this.#leftMs(), undefined, (both) =>
        client.update(leases, { ...lease, spec }, both),
      );
    } catch (error) {
      log.info({ err: error }, 'the lease could not be given back; the next leader waits for its end');
    }
  }

  #changed(isLeading: boolean): void {
    this.#deps.log.info({ identity: this.#options.identity }, isLeading ? 'leads now' : 'leads no more');
    this.#deps.onChange?.(isLeading);
  }
}
