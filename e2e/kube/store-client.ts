import { KvorumClient } from '../../client/src/index.ts';

/** Of a client Service, and the token where requests need one. */
export type StoreAddress = { readonly url: string; readonly token?: string };

/** To be closed by who asks for it. Members know each other by names that only pods can look up: it asks the Service alone. */
export function storeClient({ url, token }: StoreAddress): KvorumClient {
  return new KvorumClient({ url, ring: false, ...(token !== undefined && { token }) });
}

/** What the keys hold at a quorum, in their order; undefined where there is none. Throws where the store cannot tell. */
export async function valuesOf(
  client: KvorumClient,
  keys: readonly string[],
): Promise<readonly (string | undefined)[]> {
  const operations = keys.map((key) => ({ op: 'get', key }) as const);
  const results = await client.batch('default', operations);
  return results.map((result) => {
    if (!result.ok && result.code !== 'KEY_NOT_FOUND') throw new Error(`${result.code}: ${result.detail}`);
    return result.ok && result.value !== undefined ? Buffer.from(result.value).toString('utf8') : undefined;
  });
}
