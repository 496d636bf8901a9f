import type { KvorumCluster } from '../kvorum-cluster.ts';

/** Of `GET /metrics`: what each series stands at, by its name and labels as they are written there. */
export type Scrape = ReadonlyMap<string, number>;

export function parseMetrics(text: string): Scrape {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const end = line.lastIndexOf(' ');
    if (end > 0 && !line.startsWith('#')) series.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return series;
}

/** All nodes added up. */
export async function scrape(cluster: KvorumCluster): Promise<Scrape> {
  const all = await Promise.all(cluster.endpoints.map((_, i) => cluster.ask(i, 'GET', '/metrics')));
  const sum = new Map<string, number>();
  for (const text of all)
    for (const [name, value] of parseMetrics(text)) sum.set(name, (sum.get(name) ?? 0) + value);
  return sum;
}

/** What was counted between two looks. */
export function grown(before: Scrape, after: Scrape, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}
