const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity of Kubernetes as a number of wholes, or of such parts of one, rounded up; 0 where it is none. */
export function quantityOf(text: string | undefined, partsOfOne = 1): number {
  const match = /^([0-9.]+)([eE][0-9]+|[A-Za-z]*)$/.exec(text ?? '');
  if (match === null) return 0;
  const [, digits = '0', suffix = ''] = match;
  const factor = /^[eE][0-9]/.test(suffix) ? 10 ** Number(suffix.slice(1)) : FACTORS[suffix];
  return Math.ceil(Number(digits) * (factor ?? 0) * partsOfOne);
}
