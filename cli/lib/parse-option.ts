import { InvalidArgumentError } from 'commander';

/** Parser of an option that is a number from `min` to `max`. */
export function numberBetween(
  min: number,
  max: number,
  kind: 'whole' | 'any' = 'whole',
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const isRight = text.trim() !== '' && (kind === 'any' || Number.isInteger(value));
    if (!isRight || !(value >= min && value <= max))
      throw new InvalidArgumentError(
        `give a ${kind === 'whole' ? 'whole ' : ''}number from ${min} to ${max}.`,
      );
    return value;
  };
}

/** One URL, or several with commas between them. */
export function parseUrl(text: string): string {
  for (const url of urlsOf(text)) {
    if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) continue;
    throw new InvalidArgumentError(
      'give a URL such as http://127.0.0.1:7400, or several with commas between them.',
    );
  }
  return text;
}

export function urlsOf(text: string): string[] {
  return text.split(',').map((url) => url.trim());
}
