import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../ports/clock.ts';
import type { Metrics } from '../metrics.ts';
import type { Reloaded } from '../reloaded.ts';
import type { Logger } from './http-context.ts';
import { HttpProblem } from './problem.ts';
import { allows, type Role } from './role.ts';
import { type Caller, digestOf, type TokenTable } from './token-file.ts';

/** Why a request was not let in. */
export type RefusalReason = 'missing' | 'malformed' | 'unknown' | 'role';

type Refused = { readonly req: IncomingMessage; readonly needed: Role; readonly caller?: Caller };

/** Between two lines of the log about requests that were refused: who tries tokens must not fill the disk. */
const LOG_INTERVAL_MS = 1000;
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const REALM = 'Bearer realm="kvorum"';

/** Lets in whoever shows a token whose role allows what is asked for. */
export class Access {
  readonly #tokens: Pick<Reloaded<TokenTable>, 'value'>;
  readonly #deps: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics };
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(
    tokens: Pick<Reloaded<TokenTable>, 'value'>,
    deps: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics },
  ) {
    this.#tokens = tokens;
    this.#deps = deps;
  }

  /** Who asks. Throws UNAUTHENTICATED where that is not known, FORBIDDEN where it is known and not enough. */
  admit(req: IncomingMessage, needed: Role): Caller {
    const { authorization } = req.headers;
    if (authorization === undefined) throw this.#unauthenticated('missing', { req, needed });
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) throw this.#unauthenticated('malformed', { req, needed });
    // What is compared, by whatever means, is a digest that nobody can steer: how long that takes tells nothing of a token.
    const caller = this.#tokens.value.get(digestOf(token));
    if (caller === undefined) throw this.#unauthenticated('unknown', { req, needed });
    this.require(caller, req, needed);
    return caller;
  }

  /** Throws FORBIDDEN where the role of `caller` does not allow what takes `needed`. */
  require(caller: Caller, req: IncomingMessage, needed: Role): void {
    if (allows(caller.role, needed)) return;
    this.#note('role', { req, needed, caller });
    const { name, role } = caller;
    const detail = `This takes a token with the role ${needed}; that of ${name} has the role ${role}.`;
    const challenge = `${REALM}, error="insufficient_scope", scope="${needed}"`;
    throw new HttpProblem('FORBIDDEN', detail, { needed, role }, ['WWW-Authenticate', challenge]);
  }

  #unauthenticated(reason: 'missing' | 'malformed' | 'unknown', refused: Refused): HttpProblem {
    this.#note(reason, refused);
    const challenge = reason === 'missing' ? REALM : `${REALM}, error="invalid_token"`;
    return new HttpProblem('UNAUTHENTICATED', DETAILS[reason], { needed: refused.needed }, [
      'WWW-Authenticate',
      challenge,
    ]);
  }

  #note(reason: RefusalReason, { req, needed, caller }: Refused): void {
    const { clock, log, metrics } = this.#deps;
    metrics.countAuthRefused(reason);
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < LOG_INTERVAL_MS) {
      this.#unlogged++;
      return;
    }
    const { method, socket } = req;
    const fields = {
      reason,
      needed,
      method,
      from: socket.remoteAddress,
      token: caller?.name,
      role: caller?.role,
    };
    log.warn(
      { ...fields, unlogged: this.#unlogged },
      'a request was refused: http.tokensFile does not allow it',
    );
    this.#loggedAtMs = nowMs;
    this.#unlogged = 0;
  }
}

const DETAILS = {
  missing: 'This node needs a token: the header Authorization is missing.',
  malformed: 'The header Authorization is not "Bearer" and a token.',
  unknown: 'The token is not one of those that this node accepts.',
} as const;
