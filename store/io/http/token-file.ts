import { hash } from 'node:crypto';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { Reloaded } from '../reloaded.ts';
import { ROLES, type Role } from './role.ts';

/** Who asks, as the file of tokens names them. */
export type Caller = { readonly name: string; readonly role: Role };

/** By the SHA-256 of the token, in lower-case hexadecimal digits: tokens themselves are not kept. */
export type TokenTable = ReadonlyMap<string, Caller>;

const TOKENS_MAX = 1000;
const TOKEN_CHARACTERS_MIN = 16;
const TOKEN_CHARACTERS_MAX = 1024;
/** RFC 6750, 2.1: what may stand behind `Bearer`. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const FORM = 'a mapping with the list `tokens` is expected, each {name, role, token} or {name, role, sha256}';

const entrySchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9._@-]{1,63}$/, '1 to 63 letters, digits, dots, hyphens, underscores and @'),
    role: z.enum(ROLES),
    token: z
      .string('text is expected: put it in quotes')
      .min(
        TOKEN_CHARACTERS_MIN,
        `at least ${TOKEN_CHARACTERS_MIN} characters: openssl rand -hex 32 makes one`,
      )
      .max(TOKEN_CHARACTERS_MAX, `at most ${TOKEN_CHARACTERS_MAX} characters`)
      .regex(TOKEN, 'letters, digits and - . _ ~ + / only, with = at the end where you like')
      .optional(),
    sha256: z
      .string('text is expected: put it in quotes')
      .regex(/^[0-9a-f]{64}$/i, '64 hexadecimal digits: printf %s TOKEN | sha256sum prints them')
      .optional(),
  })
  .refine((entry) => (entry.token === undefined) !== (entry.sha256 === undefined), {
    message: 'exactly one of token and sha256 is needed',
  });
const fileSchema = z.strictObject({
  tokens: z.array(entrySchema).min(1, 'at least one token is needed').max(TOKENS_MAX),
});

/** The tokens of the file, in use as long as nothing else can be read there. Rejects where they cannot be used. */
export function openTokens(file: string, onError: (message: string) => void): Promise<Reloaded<TokenTable>> {
  const read = ([text]: readonly Buffer[]): TokenTable => parseTokens((text as Buffer).toString('utf8'));
  return Reloaded.open({ files: [file], name: `http.tokensFile ${file}`, read, onError });
}

/** Throws what is wrong, where, and what is allowed; never with a token in it. */
export function parseTokens(text: string): TokenTable {
  const result = fileSchema.safeParse(yamlOf(text));
  if (!result.success) throw new Error(result.error.issues.map(issueText).join('; '));
  const table = new Map<string, Caller>();
  for (const [at, { name, role, token, sha256 }] of result.data.tokens.entries()) {
    const digest = sha256?.toLowerCase() ?? digestOf(token as string);
    const same = table.get(digest);
    if (same !== undefined)
      throw new Error(`tokens[${at}] (${name}) is the same token as that of ${same.name}`);
    table.set(digest, { name, role });
  }
  return table;
}

export function digestOf(token: string): string {
  return hash('sha256', token);
}

/** The parser's own message shows the line, which may hold a token. */
function yamlOf(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    const line = (error as { linePos?: readonly { line: number }[] }).linePos?.[0]?.line;
    throw new Error(`not YAML${line === undefined ? '' : `, line ${line}`}; ${FORM}`);
  }
}

function issueText(issue: z.core.$ZodIssue): string {
  const { path } = issue;
  // The name of an unknown field may be a token that was written in the wrong place.
  const message = issue.code === 'unrecognized_keys' ? `a field that is not known; ${FORM}` : issue.message;
  if (path.length === 0) return `${message}; ${FORM}`;
  return `${path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .slice(1)}: ${message}`;
}
