import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const TEMPLATES = new URL('../../charts/kvorum/templates/', import.meta.url);
const RULE = /- apiGroups: (\[.*\])\s+resources: (\[.*\])\s+(?:resourceNames: \[.*\]\s+)?verbs: (\[.*\])/g;

/** What the chart lets an operator do, each as `group/resource verb`. */
export function grantedRights(): ReadonlySet<string> {
  const texts = ['_helpers.tpl', 'rbac.yaml'].map((file) => readFileSync(new URL(file, TEMPLATES), 'utf8'));
  const rules = texts.flatMap((text) => [...text.matchAll(RULE)].map((match) => match.slice(1).map(listIn)));
  return new Set(
    rules.flatMap(([groups = [], resources = [], verbs = []]) =>
      groups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`)),
      ),
    ),
  );
}

/** What a call needs: an apply is a patch, and makes what is not there. Anybody may ask which kinds there are. */
export function neededRights(call: string): readonly string[] {
  const [resource, verb] = call.split(' ');
  if (verb === 'discover') return [];
  return verb === 'apply' ? [`${resource} patch`, `${resource} create`] : [call];
}

function listIn(text: string): readonly string[] {
  return parse(text) as readonly string[];
}
