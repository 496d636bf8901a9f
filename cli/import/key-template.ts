/** Gives the key of a record, or undefined and the field that it lacks. */
export type KeyTemplate = (
  fields: Readonly<Record<string, unknown>>,
) => { readonly key: string } | { readonly missing: string };

type Part = { readonly type: 'text' | 'field'; readonly text: string };

/**
 * `{country}/{name}` puts fields into text, `{{` and `}}` stand for braces; a template without a brace is the name of
 * one field. Nested fields are reached with dots: `{address.city}`. Throws a SyntaxError for a broken template.
 */
export function parseKeyTemplate(template: string): KeyTemplate {
  const parts = /[{}]/.test(template) ? partsOf(template) : [{ type: 'field', text: template } as const];
  return (fields) => {
    let key = '';
    for (const part of parts) {
      const value = part.type === 'text' ? part.text : fieldText(fields, part.text);
      if (value === undefined) return { missing: part.text };
      key += value;
    }
    return { key };
  };
}

function partsOf(template: string): Part[] {
  const parts: Part[] = [];
  const token = /\{\{|\}\}|\{([^{}]+)\}|[^{}]+|[{}]/g;
  for (const [text, field] of template.matchAll(token)) {
    if (field !== undefined) parts.push({ type: 'field', text: field });
    else if (text === '{' || text === '}')
      throw new SyntaxError(
        `key template '${template}': lone ${text}; write {column}, or ${text}${text} for a brace`,
      );
    else parts.push({ type: 'text', text: text === '{{' ? '{' : text === '}}' ? '}' : text });
  }
  return parts;
}

/** A field as text, also one within objects; undefined for a missing one and for what is no single value. */
export function fieldText(fields: Readonly<Record<string, unknown>>, path: string): string | undefined {
  const value = Object.hasOwn(fields, path) ? fields[path] : nested(fields, path.split('.'));
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function nested(fields: unknown, path: readonly string[]): unknown {
  let value = fields;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
