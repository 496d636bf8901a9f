import type { MemberId } from '../core/raft/types.ts';
import { encodeCommand } from '../core/topology/codec.ts';
import type { TopologyCommand, TopologyRefusal } from '../core/topology/command.ts';
import type { PeerReply, PeerRequest } from '../peer/messages.ts';
import { type Clock, sleep } from '../ports/clock.ts';
import { PeerError, type Transport } from '../ports/transport.ts';
import { type ChangeResult, ClusterError } from './cluster-admin.ts';
import { deadline, until } from './deadline.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { CommandOutcome, TopologyReplica } from './topology-replica.ts';

export type LeaderCallOptions = {
  /** For a change as a whole. */
  readonly timeoutMs: number;
  /** How long a call looks for a leader before it says that there is none. */
  readonly leaderWaitMs: number;
};

export type LeaderCallDeps = {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly driver: RaftDriver<CommandOutcome | undefined>;
  readonly topology: TopologyReplica;
  leaderAddress(): string | undefined;
  /** What the leader refuses to propose, for what only it knows. */
  refusesHere(command: TopologyCommand): TopologyRefusal | undefined;
  transferHere(to: MemberId | undefined, signal: AbortSignal): Promise<PeerReply>;
  onProposed(outcome: ProposalOutcomeName, seconds: number): void;
};

export type ProposalOutcomeName = 'done' | 'refused' | 'not-leader' | 'busy' | 'unknown';
export type ProposalReply = Extract<PeerReply, { readonly type: ProposalOutcomeName }>;
type NotLeaderReply = Extract<PeerReply, { readonly type: 'not-leader' }>;

const RETRY_MS = 50;

type Attempt = PeerReply | { readonly type: 'no-leader' };

/** Changes of the topology, from any member: proposed here where this member leads, else sent to the leader. */
export class LeaderCalls {
  readonly #options: LeaderCallOptions;
  readonly #deps: LeaderCallDeps;

  constructor(options: LeaderCallOptions, deps: LeaderCallDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /**
   * Resolves once `command` holds and is applied here too. A call is repeated only while it is certain that nothing
   * was done. Throws ClusterError with the code of the refusal, NO_LEADER, or OUTCOME_UNKNOWN.
   */
  async propose(command: TopologyCommand, signal: AbortSignal): Promise<ChangeResult> {
    const reply = await this.call({ type: 'propose', command }, () => this.proposeHere(command), signal);
    if (reply.type !== 'done') throw unexpected(reply);
    using wait = deadline(this.#deps.clock, this.#options.timeoutMs, signal);
    await this.#deps.topology.waitFor((epoch) => epoch >= reply.epoch, wait.signal);
    return { epoch: reply.epoch, subject: reply.subject };
  }

  /** Has the leader, which may be this member, answer `request`; retries what was certainly not done. */
  async call(
    request: PeerRequest,
    answerHere: () => Promise<PeerReply>,
    signal: AbortSignal,
  ): Promise<Extract<PeerReply, { readonly type: 'done' | 'joined' | 'who' }>> {
    const { clock } = this.#deps;
    const { timeoutMs, leaderWaitMs } = this.#options;
    const endMs = clock.monotonicMs() + timeoutMs;
    let leaderEndMs = clock.monotonicMs() + leaderWaitMs;
    let busy = 'no leader was found';
    for (;;) {
      const attempt = await this.#attempt(request, answerHere, endMs - clock.monotonicMs(), signal);
      const nowMs = clock.monotonicMs();
      switch (attempt.type) {
        case 'done':
        case 'joined':
        case 'who':
          return attempt;
        case 'refused':
          throw new ClusterError(attempt.code, attempt.message);
        case 'transfer-refused':
          throw new ClusterError('TRANSFER_REFUSED', attempt.message);
        case 'unknown':
          throw new ClusterError('OUTCOME_UNKNOWN', attempt.message);
        case 'busy':
          busy = attempt.message;
          leaderEndMs = nowMs + leaderWaitMs;
          break;
        case 'no-leader':
        case 'not-leader':
          break;
      }
      if (nowMs >= Math.min(endMs, leaderEndMs) || signal.aborted) throw this.#noLeader(busy);
      await sleep(clock, RETRY_MS, signal);
    }
  }

  /** Has the leader hand over to `to`, or to whom it chooses; `subject` is the new one. */
  async transferLeadership(to: MemberId | undefined, signal: AbortSignal): Promise<ChangeResult> {
    const reply = await this.call(
      { type: 'transfer-leadership', to },
      () => this.#deps.transferHere(to, signal),
      signal,
    );
    if (reply.type !== 'done') throw unexpected(reply);
    return reply;
  }

  /** What a change comes to on this member, as it is told to the one that asked. */
  async proposeHere(command: TopologyCommand): Promise<ProposalReply> {
    const { clock, driver, onProposed } = this.#deps;
    const startMs = clock.monotonicMs();
    const reply = await this.#proposeHere(command, driver);
    onProposed(reply.type, (clock.monotonicMs() - startMs) / 1000);
    return reply;
  }

  async #proposeHere(
    command: TopologyCommand,
    driver: RaftDriver<CommandOutcome | undefined>,
  ): Promise<ProposalReply> {
    const problem = this.#deps.refusesHere(command);
    if (problem !== undefined) return { type: 'refused', ...problem };
    const proposal = driver.propose(encodeCommand(command));
    if (proposal.type === 'refused') {
      if (proposal.reason === 'not-leader') return this.notLeader();
      return { type: 'busy', message: `the leader takes no changes now: ${proposal.reason}` };
    }
    // A disk that hangs keeps a leader that is alone from ever telling.
    using wait = deadline(this.#deps.clock, this.#options.timeoutMs);
    const end = await until(proposal.end, wait.signal);
    switch (end?.type) {
      case 'applied':
        return replyOf(end.outcome);
      case 'lost':
        return { type: 'busy', message: 'another leader took over, and the change was not made' };
      case undefined:
        return { type: 'unknown', message: 'the change was not committed in time' };
      case 'unknown':
        return { type: 'unknown', message: 'the leader lost its place before the change was committed' };
    }
  }

  notLeader(): NotLeaderReply {
    const { driver, leaderAddress } = this.#deps;
    const address = leaderAddress();
    const member = driver.leader;
    if (member === undefined || address === undefined || driver.isLeader)
      return { type: 'not-leader', leader: undefined };
    return { type: 'not-leader', leader: { member, address } };
  }

  async #attempt(
    request: PeerRequest,
    answerHere: () => Promise<PeerReply>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { driver, transport, leaderAddress } = this.#deps;
    if (driver.isLeader) return answerHere();
    const address = leaderAddress();
    if (address === undefined || timeoutMs <= 0) return { type: 'no-leader' };
    try {
      return await transport.request(address, request, { timeoutMs, signal });
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      if (error.isUnsent) return { type: 'no-leader' };
      return { type: 'unknown', message: `the leader at ${address} did not answer: ${error.message}` };
    }
  }

  #noLeader(why: string): ClusterError {
    return new ClusterError(
      'NO_LEADER',
      `nothing was changed: ${why}; a majority of the voters must be up and reach each other`,
    );
  }
}

function replyOf(outcome: CommandOutcome | undefined): ProposalReply {
  if (outcome === undefined) return { type: 'unknown', message: 'the entry was no command' };
  if (outcome.type === 'refused') return { type: 'refused', ...outcome.refusal };
  return outcome;
}

function unexpected(reply: PeerReply): Error {
  return new Error(`a change was answered with '${reply.type}'`);
}
