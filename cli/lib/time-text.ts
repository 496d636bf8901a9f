const STEPS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
] as const;

/** `now`, `12 s ago`, `3 min ago`; a time to come counts as now, since clocks differ. */
export function formatAgo(atMs: number, nowMs: number): string {
  const seconds = Math.floor((nowMs - atMs) / 1000);
  if (seconds < 1) return 'now';
  for (const [length, unit] of STEPS)
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit} ago`;
  return `${seconds} s ago`;
}

/** When a version was stamped, in milliseconds since 1970; it begins with 48 bits of that. */
export function versionMs(version: string): number {
  return Number.parseInt(version.slice(0, 12), 16);
}
