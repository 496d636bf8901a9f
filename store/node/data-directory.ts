import { z } from 'zod';
import type { Random } from '../ports/random.ts';
import { STORAGE_FORMAT } from '../storage/checksum.ts';
import type { Engine } from '../storage/engine.ts';
import { type MetaStore, newerFormat, putMeta } from '../storage/meta-store.ts';

/** Who the owner of this data directory is (DESIGN section 4). An incarnation is one life of the directory. */
export type Identity = {
  readonly clusterId: string;
  readonly member: number;
  readonly incarnation: number;
  /** Fixed when the directory was created. */
  readonly partitions: number;
};

const formatFact = z.object({ format: z.number(), partitions: z.number() });
const identityFact = z.object({ clusterId: z.string(), member: z.number(), incarnation: z.number() });

/** The member number of a node that is alone. */
const FIRST_MEMBER = 1;

/** Reads or creates the identity of a directory and begins its next incarnation, durable when resolved. */
export async function openDataDirectory(
  options: { readonly partitions: number },
  deps: { readonly engine: Engine; readonly meta: MetaStore; readonly random: Random },
): Promise<Identity> {
  const { engine, meta, random } = deps;
  const stored = await meta.read('format');
  if (stored === undefined) {
    const format = { format: STORAGE_FORMAT, partitions: options.partitions };
    const identity = {
      clusterId: Buffer.from(random.bytes(16)).toString('hex'),
      member: FIRST_MEMBER,
      incarnation: 1,
    };
    await engine.write([putMeta('format', format), putMeta('identity', identity)], { sync: true });
    return { ...identity, partitions: options.partitions };
  }
  const format = formatFact.parse(stored);
  if (format.format > STORAGE_FORMAT) throw newerFormat(`it has storage format ${format.format}`);
  if (format.partitions !== options.partitions) throw otherPartitions(format.partitions, options.partitions);
  const identity = identityFact.parse(await meta.read('identity'));
  const next = { ...identity, incarnation: identity.incarnation + 1 };
  await meta.write('identity', next);
  return { ...next, partitions: format.partitions };
}

function otherPartitions(stored: number, wanted: number): Error {
  return new Error(
    `this data directory was created with cluster.partitions ${stored}, which is fixed for its life, and ${wanted} is configured; ` +
      `set cluster.partitions to ${stored}, or export the data and import it into a new directory`,
  );
}
