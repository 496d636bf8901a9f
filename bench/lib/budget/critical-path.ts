import { quantile } from '../report.ts';
import type { ProbeEvent } from './socket-probe.ts';

/** A stretch of the way of one operation, between two events. */
export type Leg = { readonly what: string; readonly micros: number };

/** One operation as its client saw it: when its bytes left, and when the answer was there. */
export type ClientSpan = { readonly sentMicros: number; readonly answeredMicros: number };

/** What was noted at each node, in the order of time, and which link is the client's. */
export type Trace = {
  readonly nodes: readonly (readonly ProbeEvent[])[];
  /** The node that the client asked. */
  readonly asked: number;
  readonly clientLink: string;
};

/** More legs than this belong to no operation. */
const LEGS_MAX = 40;

/**
 * The critical path of an operation, from the client's bytes to its answer, found backwards: what is written at a node was caused by the last that came
 * in there before, and what came in over a link by the last that was written at its other end. Undefined where the way leads outside of
 * the operation's time: something else came in between.
 */
export function criticalPath(trace: Trace, span: ClientSpan): readonly Leg[] | undefined {
  const legs: Leg[] = [];
  let node = trace.asked;
  let write = lastBefore(trace.nodes[node] ?? [], span.answeredMicros, isWriteTo(trace.clientLink));
  if (write === undefined) return undefined;
  legs.push({ what: 'answer to client', micros: span.answeredMicros - write.atMicros });
  while (legs.length < LEGS_MAX) {
    const came = lastBefore(trace.nodes[node] ?? [], write.atMicros, isInput);
    if (came === undefined || came.atMicros < span.sentMicros) return undefined;
    legs.push({ what: workName(trace, node, came, write), micros: write.atMicros - came.atMicros });
    if (came.link === trace.clientLink) {
      legs.push({ what: 'client to node', micros: came.atMicros - span.sentMicros });
      return legs.reverse();
    }
    const from = came.kind === 'thread-in' ? node : otherEnd(trace, node, came.link);
    const cause = lastBefore(trace.nodes[from] ?? [], came.atMicros, causeOf(came));
    if (cause === undefined || cause.atMicros < span.sentMicros) return undefined;
    legs.push({ what: wayName(trace, from, came), micros: came.atMicros - cause.atMicros });
    node = from;
    write = cause;
  }
  return undefined;
}

const isInput = ({ kind }: ProbeEvent): boolean => kind === 'read' || kind === 'thread-in';
const isWriteTo =
  (link: string) =>
  (event: ProbeEvent): boolean =>
    event.kind === 'write' && event.link === link;
const causeOf = (came: ProbeEvent): ((event: ProbeEvent) => boolean) =>
  came.kind === 'thread-in' ? ({ kind }) => kind === 'thread-out' : isWriteTo(came.link);

function workName(trace: Trace, node: number, came: ProbeEvent, gone: ProbeEvent): string {
  const place = node === trace.asked ? 'node' : 'replica';
  return `${place}: ${sourceOf(trace, came)} -> ${sourceOf(trace, gone)}`;
}

function sourceOf(trace: Trace, { kind, link }: ProbeEvent): string {
  if (kind === 'thread-in' || kind === 'thread-out') return 'storage thread';
  return link === trace.clientLink ? 'client' : 'member';
}

function wayName(trace: Trace, from: number, came: ProbeEvent): string {
  const place = from === trace.asked ? 'node' : 'replica';
  if (came.kind === 'thread-in') return `${place}: storage thread, fsync and back`;
  return from === trace.asked ? 'network, wake-up: node to replica' : 'network, wake-up: replica to node';
}

/** Another node that has noted the link. */
function otherEnd(trace: Trace, node: number, link: string): number {
  return trace.nodes.findIndex((events, i) => i !== node && events.some((event) => event.link === link));
}

function lastBefore(
  events: readonly ProbeEvent[],
  atMicros: number,
  fits: (event: ProbeEvent) => boolean,
): ProbeEvent | undefined {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle] as ProbeEvent).atMicros < atMicros) low = middle + 1;
    else high = middle;
  }
  for (let i = low - 1; i >= 0; i--) if (fits(events[i] as ProbeEvent)) return events[i];
  return undefined;
}

/** Operations that went the same way. */
export type Route = {
  /** Medians and means, each leg by itself. */
  readonly legs: readonly { readonly what: string; readonly p50: number; readonly mean: number }[];
  readonly share: number;
};

/** The ways that operations took, the most frequent first. */
export function routesOf(paths: readonly (readonly Leg[])[]): readonly Route[] {
  const groups = Map.groupBy(paths, (legs) => legs.map(({ what }) => what).join('|'));
  const routes = [...groups.values()].map((group): Route => {
    const legs = (group[0] as readonly Leg[]).map(({ what }, i) => {
      const micros = group.map((path) => (path[i] as Leg).micros);
      return {
        what,
        p50: quantile(micros, 0.5),
        mean: micros.reduce((sum, each) => sum + each, 0) / micros.length,
      };
    });
    return { legs, share: group.length / paths.length };
  });
  return routes.toSorted((a, b) => b.share - a.share);
}
