import type { Protocol } from '../../core/resp/reply.ts';
import type { Caller } from '../http/token-file.ts';

/** The namespace of a connection that has chosen none: that of every other interface. */
export const FIRST_NAMESPACE = 'default';

/** What a client has said on its connection, and what that makes of it. */
export class Session {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  readonly beganAtMs: number;
  protocol: Protocol = 2;
  name = '';
  libraryName = '';
  libraryVersion = '';
  namespace = FIRST_NAMESPACE;
  /** As CLIENT REPLY has it. `skip`: the next command is not answered, and those behind it are. */
  replies: 'on' | 'off' | 'skip' = 'on';
  /** The digest of the token that was shown; looked up again whenever the table of tokens is another one. */
  digest: string | undefined;
  caller: Caller | undefined;
  lastCommand = '';
  lastActiveMs: number;
  /** When it was last told which node to ask. */
  movedAtMs: number | undefined;
  /** When MULTI was refused, until EXEC. */
  multiAtMs: number | undefined;
  /** The connection is closed: nobody waits for an answer. */
  isGone = false;

  constructor(of: Pick<Session, 'id' | 'address' | 'localAddress' | 'beganAtMs'>) {
    this.id = of.id;
    this.address = of.address;
    this.localAddress = of.localAddress;
    this.beganAtMs = of.beganAtMs;
    this.lastActiveMs = of.beganAtMs;
  }

  /** Whether the command that begins now is not answered; where it is to be skipped, it is the last one. */
  takeSilence(): boolean {
    const { replies } = this;
    if (replies === 'skip') this.replies = 'on';
    return replies !== 'on';
  }

  /** As it was when the connection began, but for its id. */
  reset(): void {
    this.protocol = 2;
    this.name = '';
    this.namespace = FIRST_NAMESPACE;
    this.replies = 'on';
    this.multiAtMs = undefined;
    this.digest = undefined;
    this.caller = undefined;
  }

  /** A line of CLIENT LIST. */
  describe(nowMs: number): string {
    const age = Math.floor((nowMs - this.beganAtMs) / 1000);
    const idle = Math.floor((nowMs - this.lastActiveMs) / 1000);
    const who = `id=${this.id} addr=${this.address} laddr=${this.localAddress} fd=-1 name=${this.name}`;
    const state = `age=${age} idle=${idle} flags=N db=0 sub=0 psub=0 ssub=0 multi=-1`;
    const last = `cmd=${this.lastCommand || 'NULL'} user=${this.caller?.name ?? 'default'} redir=-1 resp=${this.protocol}`;
    return `${who} ${state} ${last} lib-name=${this.libraryName} lib-ver=${this.libraryVersion} kv-namespace=${this.namespace}`;
  }
}
