import { valueAt } from './fake-api-server-json.ts';

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

/** A label selector as in a query: `a=b,c!=d,e,!f,g in (x,y),h notin (z)`. */
export function parseLabelSelector(text: string): (labels: Labels | undefined) => boolean {
  const requirements = splitOutsideParentheses(text).map(parseRequirement);
  return (labels = {}) => requirements.every((holds) => holds(labels));
}

/** A field selector as in a query: equality on any dotted path. */
export function parseFieldSelector(text: string): (object: unknown) => boolean {
  const terms = text.split(',').filter((term) => term !== '');
  const parsed = terms.map((term) => {
    const match = /^([^!=]+)(!=|==|=)(.*)$/.exec(term.trim());
    if (match === null) throw new SyntaxError(`field selector '${term}' is not path=value or path!=value`);
    return { path: match[1]!, isEqual: match[2] !== '!=', value: match[3]! };
  });
  return (object) =>
    parsed.every(({ path, isEqual, value }) => (String(valueAt(object, path) ?? '') === value) === isEqual);
}

function splitOutsideParentheses(text: string): string[] {
  const terms = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return terms.map((term) => term.trim()).filter((term) => term !== '');
}

function parseRequirement(term: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const values = set[3]!.split(',').map((value) => value.trim());
    const isIn = (labels: Labels): boolean => values.includes(labels[set[1]!] ?? '\0');
    return set[2] === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const equality = /^([^!=\s]+)\s*(!=|==|=)\s*(.*)$/.exec(term);
  if (equality !== null) {
    const isEqual = equality[2] !== '!=';
    return (labels) => (labels[equality[1]!] === equality[3]) === isEqual;
  }
  return term.startsWith('!') ? (labels) => !(term.slice(1) in labels) : (labels) => term in labels;
}
