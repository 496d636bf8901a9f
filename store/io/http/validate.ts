import type { z } from 'zod';
import type { ErrorCode } from './error-table.ts';
import { queryDecode } from './percent.ts';
import { HttpProblem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** Fields whose errors have a code of their own. */
const CODE_OF_FIELD: Readonly<Record<string, ErrorCode>> = {
  ttl: 'BAD_TTL',
  ttlSeconds: 'BAD_TTL',
  cursor: 'BAD_CURSOR',
  to: 'BAD_MEMBER_NAME',
  node: 'BAD_MEMBER_NAME',
  member: 'BAD_MEMBER_NAME',
};

/** The parameters behind `?`, checked. Values are one character per byte: a prefix may be any bytes. */
export function parseQuery<Shape extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<Shape>,
  raw: string | undefined,
): z.output<z.ZodObject<Shape>> {
  const result = schema.safeParse(queryFields(raw ?? ''));
  if (result.success) return result.data;
  throw queryProblem(result.error.issues[0] as Issue, Object.keys(schema.shape));
}

function queryFields(raw: string): Record<string, string> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = queryDecode(equals === -1 ? pair : pair.slice(0, equals), 'parameter name').toString();
    if (Object.hasOwn(fields, name)) {
      throw new HttpProblem('BAD_PARAMETER', `${quote(name)} is given twice.`, { parameter: name });
    }
    const value = equals === -1 ? '' : pair.slice(equals + 1);
    fields[name] = queryDecode(value, `parameter ${quote(name)}`).toString('latin1');
  }
  return fields;
}

function queryProblem(issue: Issue, allowed: readonly string[]): HttpProblem {
  if (issue.code === 'unrecognized_keys') {
    const name = issue.keys[0] as string;
    return new HttpProblem('UNKNOWN_PARAMETER', unknownDetail('parameter', name, '', allowed), {
      parameter: name,
      allowed,
    });
  }
  const name = String(issue.path[0]);
  const code = CODE_OF_FIELD[name] ?? 'BAD_PARAMETER';
  return new HttpProblem(code, `Parameter ${quote(name)}: ${issue.message}.`, { parameter: name });
}

/** A parsed JSON body, checked. `allowedAt` names the fields of the object at a path. */
export function checkBody<Output>(
  schema: z.ZodType<Output>,
  document: unknown,
  allowedAt: (path: readonly PropertyKey[]) => readonly string[],
): Output {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as Issue;
  const where = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedAt(issue.path);
    const field = issue.keys[0] as string;
    throw new HttpProblem('UNKNOWN_FIELD', unknownDetail('field', field, where, allowed), { field, allowed });
  }
  const code = CODE_OF_FIELD[String(issue.path.at(-1))] ?? 'BAD_FIELD';
  throw new HttpProblem(code, `${where || 'The document'}: ${issue.message}.`, { field: where });
}

/** Strict UTF-8, then JSON. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'The body is not valid UTF-8';
    throw new HttpProblem('BAD_JSON', reason.slice(0, 200));
  }
}

function unknownDetail(kind: string, name: string, where: string, allowed: readonly string[]): string {
  const place = where === '' ? '' : ` in ${where}`;
  const choice = allowed.length === 0 ? 'none is allowed' : `allowed: ${allowed.join(', ')}`;
  return `Unknown ${kind} ${quote(name)}${place}; ${choice}.`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .slice(1);
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
