import type { Observation, TopologySeen } from '../observation.ts';
import { type Act, isSameAct, type Refusal } from './act.ts';
import { bootstrap, storeAnswers } from './bootstrap.ts';
import { children, statefulSet } from './children.ts';
import { claims } from './claims.ts';
import { deletion } from './deletion.ts';
import { cancelDrains, drains } from './drains.ts';
import { factor } from './factor.ts';
import { type Finding, IDLE_MS, type Note, refuse, SOON_MS, wait } from './finding.ts';
import { identity, missingApis, pause, remains, reservedName, soundSpec, strangers } from './ground.ts';
import { liveSettings } from './live-settings.ts';
import { lostPods } from './lost-pods.ts';
import { lostVolumes } from './lost-volumes.ts';
import { growReplicas, shrinkReplicas } from './replicas.ts';
import { rollout } from './rollout.ts';
import { stuckPods } from './stuck-pods.ts';
import { underWay } from './under-way.ts';
import { zones } from './zones.ts';

/**
 * The next safe act, or what is waited for. It remembers nothing: the same observation gives the same plan, and every operator that comes
 * after another one's death goes on from what is there.
 */
export type Plan = {
  readonly act: Act | undefined;
  /** What is done, or what most keeps from it, in words. */
  readonly message: string;
  readonly waits: readonly Note[];
  /** What somebody has to do something about. */
  readonly refusals: readonly Note[];
  /** When to look again; 0 after an act. */
  readonly requeueMs: number;
};

type Rule = (seen: Observation) => readonly Finding[];
type TopologyRule = (seen: Observation, topology: TopologySeen) => readonly Finding[];

/** In the order of what rests on what. Those that may be refused by others stand last, so that a no keeps nobody else waiting. */
const RULES: readonly Rule[] = [
  deletion,
  pause,
  soundSpec,
  reservedName,
  strangers,
  remains,
  identity,
  children,
  missingApis,
  statefulSet,
  lostPods,
  stuckPods,
  growReplicas,
  bootstrap,
  storeAnswers,
  withTopology(cancelDrains),
  withTopology(claims),
  withTopology(shrinkReplicas),
  withTopology(lostVolumes),
  withTopology(zones),
  withTopology(factor),
  withTopology(drains),
  withTopology(rollout),
  liveSettings,
  withTopology(underWay),
];

/** `refused`: what was tried in this reconcile and refused; the plan goes on without it. */
export function planNext(seen: Observation, refused: readonly Refusal[] = []): Plan {
  const findings = untilBlocked(seen, refused);
  const next = findings.find((finding) => finding.type === 'act');
  const notes = findings.filter((finding) => finding.type !== 'act');
  const waits = notes.filter(({ type }) => type === 'wait');
  const refusals = notes.filter(({ type }) => type === 'refuse');
  const first = next ?? refusals[0] ?? waits[0];
  const requeues = notes.map(({ requeueMs }) => requeueMs);
  return {
    act: next?.act,
    message: first?.message ?? 'all is as it should be',
    waits: waits.map(noteOf),
    refusals: refusals.map(noteOf),
    requeueMs: next === undefined ? Math.min(IDLE_MS, ...requeues) : 0,
  };
}

/** Rules behind an act are asked as well, for what they wait for is told in the status; but for those that would rest on its outcome. */
function untilBlocked(seen: Observation, refused: readonly Refusal[]): readonly Finding[] {
  const findings: Finding[] = [];
  for (const rule of RULES) {
    const found = rule(seen).map((finding) => withoutRefused(finding, refused));
    findings.push(...found);
    if (found.some((finding) => finding.type !== 'act' && finding.isBlocking)) break;
    if (FOUNDATIONS.has(rule) && found.some(({ type }) => type === 'act')) break;
  }
  return findings;
}

const FOUNDATIONS: ReadonlySet<Rule> = new Set([deletion, identity, bootstrap]);

function withoutRefused(finding: Finding, refused: readonly Refusal[]): Finding {
  if (finding.type !== 'act') return finding;
  const refusal = refused.find(({ act }) => isSameAct(act, finding.act));
  if (refusal === undefined) return finding;
  const { concern, message } = finding;
  const { code, message: why } = refusal;
  if (PASSING.has(code)) return wait(concern, code, `${message}: not yet, ${why}`, SOON_MS);
  return refuse(concern, code, `${message}: refused, ${why}`);
}

/**
 * The store's noes to a restart that pass by themselves: who was restarted before has to catch up first, or somebody else has its word. What
 * does not pass is told of by other rules.
 */
const PASSING: ReadonlySet<string> = new Set(['CannotStop', 'StopLeaseTaken']);

function noteOf({ concern, reason, message }: Note): Note {
  return { concern, reason, message };
}

function withTopology(rule: TopologyRule): Rule {
  return (seen) => (seen.store.topology === undefined ? [] : rule(seen, seen.store.topology));
}
