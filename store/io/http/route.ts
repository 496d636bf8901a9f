import type { ErrorCode } from './error-table.ts';
import type { Exchange } from './exchange.ts';
import type { NeededRole } from './role.ts';
import type { AnswerName, HttpSchemas } from './schemas.ts';

/** A path of the interface: how it is found, what it does, and what its page of the OpenAPI document says. */
export type Route = {
  readonly template: string;
  /** On the path as it came, undecoded: express must not decode a key, which may be no UTF-8. */
  readonly pattern: RegExp;
  /** Served however busy the node is. */
  readonly isProbe?: boolean;
  readonly operations: Readonly<Record<string, Operation>>;
};

export type Operation = {
  readonly summary: string;
  /** What a token must allow, where tokens are needed. */
  readonly needs: NeededRole;
  readonly handle: (exchange: Exchange) => Promise<void>;
  readonly query?: keyof HttpSchemas;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: keyof HttpSchemas | 'raw';
  readonly answers: Readonly<Record<number, Answer>>;
  readonly errors: readonly ErrorCode[];
};

export type Answer = {
  readonly description: string;
  readonly schema?: AnswerName;
  /** Another content than JSON. */
  readonly contents?: readonly string[];
  readonly headers?: readonly string[];
};
