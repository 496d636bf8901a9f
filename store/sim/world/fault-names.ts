/** What can go wrong; faults.ts says how. New ones change what every seed does. */
export const FAULT_NAMES = [
  'crash',
  'stop',
  'pause',
  'power-failure',
  'partition',
  'one-way-cut',
  'isolation',
  'slow-link',
  'storm',
  'link-reset',
  'slow-disk',
  'disk-error',
  'full-disk',
  'clock-jump',
  'wipe',
  'old-disk',
  'bit-flip',
  'second-bootstrap',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

export function isFaultName(name: string): name is FaultName {
  return (FAULT_NAMES as readonly string[]).includes(name);
}
