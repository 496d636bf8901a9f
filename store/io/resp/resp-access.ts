import type { CommandSpec } from '../../core/resp/command-spec.ts';
import { allows } from '../http/role.ts';
import { digestOf } from '../http/token-file.ts';
import { CommandError } from './command-error.ts';
import type { RespContext } from './resp-context.ts';
import { FIRST_NAMESPACE, type Session } from './session.ts';

const NOAUTH = 'NOAUTH Authentication required.';
const WRONGPASS = 'WRONGPASS invalid username-password pair or user is disabled.';
const NO_PASSWORD =
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?';
/** A user of this form is bound to a namespace: clients that cannot send KV.NAMESPACE can set a user name. */
const BOUND_USER = /^ns:(.+)$/;

/** Throws what a client is told whose token does not allow the command. */
export function requireAccess(context: RespContext, session: Session, spec: CommandSpec): void {
  if (context.tokens === undefined || spec.needs === 'none') return;
  const caller = callerOf(context, session);
  if (caller === undefined) throw new CommandError(NOAUTH);
  if (allows(caller.role, spec.needs)) return;
  context.countRefused('role');
  throw new CommandError(
    `NOPERM User ${caller.name} has no permissions to run the '${spec.name}' command: it takes the role ${spec.needs}, that of this token is ${caller.role}`,
  );
}

export function isKnown(context: RespContext, session: Session): boolean {
  return context.tokens === undefined || callerOf(context, session) !== undefined;
}

/** A token counts for as long as it is in the file. */
function callerOf({ tokens }: RespContext, session: Session): Session['caller'] {
  if (tokens === undefined || session.digest === undefined) return undefined;
  session.caller = tokens.value.get(session.digest);
  return session.caller;
}

/** AUTH password, AUTH user password, HELLO ... AUTH user password: the password is a token. Throws CommandError. */
export function authenticate(
  context: RespContext,
  session: Session,
  user: string | undefined,
  password: Uint8Array,
): void {
  const { tokens } = context;
  if (tokens === undefined && user === undefined) throw new CommandError(NO_PASSWORD);
  if (tokens !== undefined) {
    // What is compared is a digest that nobody can steer: how long that takes tells nothing of a token.
    const digest = digestOf(Buffer.from(password).toString('latin1'));
    const caller = tokens.value.get(digest);
    if (caller === undefined) {
      context.countRefused('unknown');
      throw new CommandError(WRONGPASS);
    }
    session.digest = digest;
    session.caller = caller;
  }
  session.namespace = BOUND_USER.exec(user ?? '')?.[1] ?? FIRST_NAMESPACE;
}
