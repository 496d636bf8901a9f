import type { MemberView } from '../../store/cluster/cluster-admin.ts';
import { localNodes } from './local-node.ts';
import { type Observation, observe, observeMembers, observePlacement } from './observe.ts';
import { placementText, verdictOf } from './verdict.ts';

const HEAD = ['name', 'pid', 'state', 'role', 'voter', 'liveness', 'epoch', 'url'];

/** A table of the nodes and a verdict; 0 only where all is well. */
export async function status(): Promise<number> {
  const nodes = localNodes();
  if (nodes.length === 0) {
    process.stdout.write('there is no local cluster: ./dev.sh up starts one\n');
    return 1;
  }
  const observations = await observe(nodes);
  const members = await observeMembers(observations);
  const verdict = verdictOf(observations);
  process.stdout.write(table([HEAD, ...observations.map((each) => rowOf(each, members))]));
  process.stdout.write(`${verdict.text}\n`);
  const placement = await observePlacement(observations);
  if (placement !== undefined) process.stdout.write(`${placementText(placement)}\n`);
  return verdict.isWell ? 0 : 1;
}

/** State, role and epoch are what the node says of itself, liveness what the others say of it. */
function rowOf(
  { node, pid, status }: Observation,
  members: ReadonlyMap<string, MemberView>,
): readonly string[] {
  const member = members.get(node.name);
  const voter = status?.node.isVoter ?? member?.isVoter;
  return [
    node.name,
    pid === undefined ? '-' : String(pid),
    status?.node.state ?? (pid === undefined ? 'down' : 'no answer'),
    status?.node.role ?? '-',
    voter === undefined ? '-' : voter ? 'yes' : 'no',
    member?.liveness ?? '-',
    status === undefined ? '-' : String(status.epoch),
    node.url,
  ];
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
