import { readFileSync } from 'node:fs';

/** One call to the API server, as the server wrote it down. */
export type AuditedCall = {
  readonly verb: string;
  readonly user: string;
  readonly userAgent: string;
  /** With the subresource, such as `kvclusters/status`; `discovery` where it is about no object. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly atMs: number;
};

type AuditEvent = {
  readonly stage: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly stageTimestamp: string;
};

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** All of them so far; a watch counts when it begins. */
export function readAuditLog(path: string): readonly AuditedCall[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  const events = lines.map((line) => JSON.parse(line) as AuditEvent);
  return events
    .filter(({ stage, verb }) => stage === (verb === 'watch' ? 'ResponseStarted' : 'ResponseComplete'))
    .map(callOf);
}

function callOf({
  verb,
  user,
  userAgent = '',
  objectRef,
  responseStatus,
  stageTimestamp,
}: AuditEvent): AuditedCall {
  const { resource = 'discovery', subresource, namespace = '', name = '' } = objectRef ?? {};
  return {
    verb,
    user: user.username,
    userAgent,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    code: responseStatus?.code ?? 0,
    atMs: Date.parse(stageTimestamp),
  };
}

export const isWrite = ({ verb }: AuditedCall): boolean => !READS.has(verb);

/** How many of each verb and resource. */
export function tally(calls: readonly AuditedCall[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, resource } of calls) {
    const key = `${verb} ${resource}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return new Map([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
