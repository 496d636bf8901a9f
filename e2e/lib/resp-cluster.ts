import type { Cluster } from './cluster.ts';

type Member = { readonly name: string; readonly respAddress?: string };

/** The RESP port of each node by its index from 1, as the members have announced them. */
export async function respPorts(cluster: Cluster): Promise<ReadonlyMap<number, number>> {
  let ports = new Map<number, number>();
  await cluster.until('the members do not say where clients of Redis reach them', async () => {
    const node = cluster.awake()[0];
    const answer = await node?.request<{ members: readonly Member[] }>('/v1/members');
    if (answer?.type !== 'ok') return false;
    ports = new Map(
      answer.body.members.flatMap(({ name, respAddress }) =>
        respAddress === undefined
          ? []
          : [[Number(name.split('-')[1]), Number(respAddress.split(':').at(-1))]],
      ),
    );
    return ports.size === cluster.nodes.length;
  });
  return ports;
}
