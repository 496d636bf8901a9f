/** What is known of a command without running it; what COMMAND, COMMAND DOCS and docs/resp.md tell. */
export type CommandSpec = {
  /** In lower case. */
  readonly name: string;
  /** With the name; -n: n or more. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** Where the keys are among the arguments, from 1; `last` counts from the end where it is negative; 0, 0, 0: none. */
  readonly keys: readonly [first: number, last: number, step: number];
  /** The role that a token needs where tokens are needed. */
  readonly needs: 'none' | 'read' | 'write' | 'admin';
  readonly group: 'connection' | 'generic' | 'string' | 'server' | 'cluster';
  readonly summary: string;
  /** Of Redis, as far as it has the command. */
  readonly since: string;
};

export type CommandFlag =
  | 'readonly'
  | 'write'
  | 'fast'
  | 'loading'
  | 'stale'
  | 'no_auth'
  | 'admin'
  | 'denyoom';

type Row = readonly [
  name: string,
  arity: number,
  flags: string,
  keys: readonly [number, number, number],
  needs: CommandSpec['needs'],
  group: CommandSpec['group'],
  since: string,
  summary: string,
];

const NONE = [0, 0, 0] as const;
const ONE_KEY = [1, 1, 1] as const;
const ALL_KEYS = [1, -1, 1] as const;
const PAIRS = [1, -1, 2] as const;
const ANY = 'fast loading stale';
const KEYLESS = `${ANY} no_auth`;
const PUT = 'write denyoom';

const ROWS: readonly Row[] = [
  ['ping', -1, ANY, NONE, 'read', 'connection', '1.0.0', 'Answers PONG, or the message.'],
  ['echo', 2, ANY, NONE, 'read', 'connection', '1.0.0', 'Answers the message.'],
  ['quit', -1, KEYLESS, NONE, 'none', 'connection', '1.0.0', 'Closes the connection.'],
  ['reset', 1, KEYLESS, NONE, 'none', 'connection', '6.2.0', 'Makes the connection as it was when it began.'],
  [
    'hello',
    -1,
    KEYLESS,
    NONE,
    'none',
    'connection',
    '6.0.0',
    'Chooses the protocol, and tells of the server; may authenticate.',
  ],
  ['auth', -2, KEYLESS, NONE, 'none', 'connection', '1.0.0', 'Shows a token of http.tokensFile.'],
  [
    'select',
    2,
    ANY,
    NONE,
    'read',
    'connection',
    '1.0.0',
    'Takes database 0, the only one; KV.NAMESPACE chooses a namespace.',
  ],
  ['client', -2, ANY, NONE, 'read', 'connection', '2.4.0', 'Tells of, and changes, client connections.'],
  ['readonly', 1, ANY, NONE, 'read', 'cluster', '3.0.0', 'Accepted; every node answers reads anyway.'],
  ['readwrite', 1, ANY, NONE, 'read', 'cluster', '3.0.0', 'Accepted; every node takes writes anyway.'],
  ['command', -1, 'loading stale', NONE, 'read', 'server', '2.8.13', 'Tells of the commands that there are.'],
  ['info', -1, 'loading stale', NONE, 'read', 'server', '1.0.0', 'Tells of the node in sections of lines.'],
  ['time', 1, ANY, NONE, 'read', 'server', '2.6.0', 'The clock of the node: seconds and microseconds.'],
  [
    'config',
    -2,
    'admin loading stale',
    NONE,
    'read',
    'server',
    '2.0.0',
    'CONFIG GET of what clients of Redis ask for.',
  ],
  ['get', 2, 'readonly fast', ONE_KEY, 'read', 'string', '1.0.0', 'The value of a key.'],
  ['set', -3, PUT, ONE_KEY, 'write', 'string', '1.0.0', 'Sets a key, for ever or with EX, PX, EXAT or PXAT.'],
  ['setex', 4, PUT, ONE_KEY, 'write', 'string', '2.0.0', 'Sets a key for so many seconds.'],
  ['psetex', 4, PUT, ONE_KEY, 'write', 'string', '2.6.0', 'Sets a key for so many milliseconds.'],
  ['mget', -2, 'readonly fast', ALL_KEYS, 'read', 'string', '1.0.0', 'The values of keys.'],
  [
    'mset',
    -3,
    PUT,
    PAIRS,
    'write',
    'string',
    '1.0.1',
    'Sets keys, each by itself: on a quorum namespace not all at once.',
  ],
  ['strlen', 2, 'readonly fast', ONE_KEY, 'read', 'string', '2.2.0', 'The length of a value in bytes.'],
  ['getrange', 4, 'readonly', ONE_KEY, 'read', 'string', '2.4.0', 'A part of a value.'],
  ['substr', 4, 'readonly', ONE_KEY, 'read', 'string', '1.0.0', 'The old name of GETRANGE.'],
  ['del', -2, 'write', ALL_KEYS, 'write', 'generic', '1.0.0', 'Deletes keys; says how many there were.'],
  ['unlink', -2, 'write fast', ALL_KEYS, 'write', 'generic', '4.0.0', 'As DEL.'],
  ['exists', -2, 'readonly fast', ALL_KEYS, 'read', 'generic', '1.0.0', 'How many of the keys there are.'],
  ['type', 2, 'readonly fast', ONE_KEY, 'read', 'generic', '1.0.0', 'string, or none where there is no key.'],
  ['ttl', 2, 'readonly fast', ONE_KEY, 'read', 'generic', '1.0.0', 'Seconds until a key expires.'],
  ['pttl', 2, 'readonly fast', ONE_KEY, 'read', 'generic', '2.6.0', 'Milliseconds until a key expires.'],
  ['expiretime', 2, 'readonly fast', ONE_KEY, 'read', 'generic', '7.0.0', 'When a key expires, in seconds.'],
  [
    'pexpiretime',
    2,
    'readonly fast',
    ONE_KEY,
    'read',
    'generic',
    '7.0.0',
    'When a key expires, in milliseconds.',
  ],
  ['touch', -2, 'readonly fast', ALL_KEYS, 'read', 'generic', '3.2.1', 'As EXISTS.'],
  ['scan', -2, 'readonly', NONE, 'read', 'generic', '2.8.0', 'A page of the keys; MATCH, COUNT and TYPE.'],
  [
    'keys',
    2,
    'readonly',
    NONE,
    'read',
    'generic',
    '1.0.0',
    'The keys that match, where they are not too many.',
  ],
  ['dbsize', 1, 'readonly', NONE, 'read', 'server', '1.0.0', 'Counts the keys, by looking at all of them.'],
  ['randomkey', 1, 'readonly', NONE, 'read', 'generic', '1.0.0', 'Some key.'],
  ['cluster', -2, 'loading stale', NONE, 'read', 'cluster', '3.0.0', 'Tells which node owns which slots.'],
  [
    'kv.namespace',
    -1,
    'fast',
    NONE,
    'read',
    'generic',
    '',
    'Chooses the namespace of this connection, or tells it.',
  ],
  ['kv.get', -2, 'readonly fast', ONE_KEY, 'read', 'string', '', 'GET, with R n replicas asked.'],
  [
    'kv.set',
    -3,
    PUT,
    ONE_KEY,
    'write',
    'string',
    '',
    'SET that answers the version; W n replicas, TTL seconds.',
  ],
  [
    'kv.version',
    2,
    'readonly fast',
    ONE_KEY,
    'read',
    'generic',
    '',
    'The version of a key, as the ETag over HTTP.',
  ],
];

export const COMMAND_SPECS: ReadonlyMap<string, CommandSpec> = new Map(
  ROWS.map(([name, arity, flags, keys, needs, group, since, summary]) => [
    name,
    { name, arity, flags: flags.split(' ') as CommandFlag[], keys, needs, group, since, summary },
  ]),
);

/**
 * What a register cannot do: it reads and writes in one step, or several keys at once. A namespace of the class linearizable is
 * needed for it; the list is what Redis has of the kind for strings and keys.
 */
export const NEEDS_LINEARIZABLE: ReadonlySet<string> = new Set(
  (
    'append copy decr decrby discard eval eval_ro evalsha evalsha_ro exec expire expireat fcall fcall_ro function getdel getex getset ' +
    'incr incrby incrbyfloat msetnx multi persist pexpire pexpireat rename renamenx script setbit setnx setrange unwatch watch delex'
  ).split(' '),
);

/** Whether `count` arguments, the name among them, are what the command takes. */
export function fitsArity({ arity }: CommandSpec, count: number): boolean {
  return arity >= 0 ? count === arity : count >= -arity;
}

const FIRST: readonly number[] = [1];

/** Places of the keys among `count` arguments. */
export function keyPlaces({ keys: [first, last, step] }: CommandSpec, count: number): readonly number[] {
  if (first === 0) return [];
  const end = last < 0 ? count + last : last;
  if (first === 1 && end === 1) return FIRST;
  return Array.from({ length: Math.floor((end - first) / step) + 1 }, (_, i) => first + i * step);
}
