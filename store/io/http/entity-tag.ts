/** RFC 9110, 13.1.2: weak comparison of If-None-Match, `*` or a list of entity tags, with `etag`. */
export function matchesTag(condition: string, etag: string): boolean {
  if (condition === etag) return true;
  return condition.split(',').some((item) => {
    const tag = item.trim();
    return tag === '*' || tag === etag || tag === `W/${etag}`;
  });
}
