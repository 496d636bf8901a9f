import {
  FOREVER,
  type Impossible,
  type Placed,
  type Sorted,
  sortHistory,
} from './linearizability-clusters.ts';
import { minimiseHistory } from './linearizability-minimise.ts';
import { findUnexplainedAbsence } from './linearizability-sweep.ts';
import { isZone, within, type Zone, zoneAround, zonesOf } from './linearizability-zones.ts';
import { describeOperation, type RegisterOperation } from './register-operation.ts';
import { Violation } from './violation.ts';

/**
 * Whether one key behaved as one register: some order of its operations, each at a point between its begin and its end,
 * explains everything that was read. Values are unique, so that a read names its put, and n operations take O(n log n)
 * (Gibbons, Korach 1997, "Testing Shared Memories", section 4.1): the zones of values must not overlap, and nothing may
 * lie within a zone that is not of its value. Reads of nothing do not say which delete they saw; linearizability-sweep.ts
 * finds out whether some assignment explains them. `undefined` where all is well.
 *
 * The register begins with nothing. The answer is that of linearizability-search.ts for every history.
 */
export function findAnomaly(history: readonly RegisterOperation[]): Impossible | undefined {
  const sorted = sortHistory(history);
  if (sorted.impossible !== undefined) return sorted.impossible;
  const { zones, impossible } = zonesOf(sorted.clusters);
  if (impossible !== undefined) return impossible;
  const trapped = findTrapped(sorted, zones);
  if (trapped !== undefined) return trapped;
  return findUnexplainedAbsence(sorted, zones) === undefined ? undefined : unexplainedAbsence(history);
}

/** Throws a Violation that shows the fewest operations that are not linearizable. */
export function requireLinearizable(key: string, history: readonly RegisterOperation[]): void {
  const anomaly = findAnomaly(history);
  if (anomaly === undefined) return;
  const operations = anomaly.operations.toSorted((a, b) => a.beganAt - b.beganAt);
  const lines = operations.map((operation) => `\n    ${describeOperation(operation)}`);
  throw new Violation(
    'every key is linearizable',
    `key ${key}: ${anomaly.problem}; of ${history.length} operations these cannot be put in order:${lines.join('')}`,
  );
}

function findTrapped(
  { clusters, deletes, absences }: Sorted,
  zones: readonly Zone[],
): Impossible | undefined {
  for (const cluster of clusters) {
    if (isZone(cluster)) continue;
    const { put, firstEnd, lastBegin } = cluster;
    const zone = zoneAround(zones, lastBegin.begin, firstEnd.end);
    if (zone === undefined) continue;
    const inside = [...new Set<Placed>([put, firstEnd, lastBegin])];
    return within(zone, inside, `${put.operation.value} was put`);
  }
  for (const each of deletes) {
    const zone = each.end === FOREVER ? undefined : zoneAround(zones, each.begin, each.end);
    if (zone !== undefined) return within(zone, [each], 'the key was deleted');
  }
  for (const each of absences) {
    const zone = zoneAround(zones, each.begin, each.end);
    if (zone !== undefined) return within(zone, [each], 'nothing was read');
  }
  return undefined;
}

/** Deletes are kept: with fewer of them a read of nothing is harder to explain, so that leaving one out proves nothing. */
function unexplainedAbsence(history: readonly RegisterOperation[]): Impossible {
  const operations = minimiseHistory(history, (rest) => {
    const sorted = sortHistory(rest);
    return findUnexplainedAbsence(sorted, zonesOf(sorted.clusters).zones) !== undefined;
  });
  const problem =
    'nothing was read, and no delete that is left over can come between that and the puts before it';
  return { problem, operations };
}
