import type { KeyPlace, MemberBalance, Ring } from '@kvorum/client';
import { formatTable } from '../lib/table.ts';

// What the commands about the ring print for people.

const BAR_CELLS = 20;
/** Members of the most that an even balance differs by. */
const DEVIATION_EVEN = 1;

/** The answer first: how even it is; then each member with a picture of what it holds. */
export function formatRing(ring: Ring): string {
  const { epoch, partitions, replicationFactor, members, balance } = ring;
  const most = Math.max(...balance.members.map((each) => Math.max(each.partitions, each.ideal)), 1);
  const heading = ['NAME', 'MEMBER', 'UP', 'ZONE', 'WEIGHT', 'PARTITIONS', 'PRIMARIES', 'IDEAL', 'HOLDS'];
  const rows = balance.members.map((each) => ringRow(ring, each, most));
  const lines: [string, string][] = [
    ['balance', balanceText(ring)],
    [
      'ring',
      `epoch ${epoch}: ${partitions} partitions, ${replicationFactor} replicas each, ${members.length} members`,
    ],
  ];
  if (balance.zones.length > 1) lines.push(['zones', zonesText(ring)]);
  return `${lines.map(([name, text]) => `${name.padEnd(10)}  ${text}\n`).join('')}\n${formatTable([heading, ...rows])}`;
}

function balanceText({ balance, members }: Ring): string {
  const worst = balance.members.reduce<MemberBalance | undefined>(
    (most, each) => (Math.abs(each.deviation) > Math.abs(most?.deviation ?? 0) ? each : most),
    undefined,
  );
  const off = Math.abs(worst?.deviation ?? 0);
  if (worst === undefined || off <= DEVIATION_EVEN)
    return `even: every member is within ${DEVIATION_EVEN} partition of its ideal`;
  const name = members.find(({ number }) => number === worst.member)?.name ?? `member ${worst.member}`;
  const way = worst.deviation > 0 ? 'more' : 'less';
  return `uneven: ${name} holds ${off.toFixed(1)} partitions ${way} than its ideal`;
}

function zonesText({ balance }: Ring): string {
  return balance.zones
    .map(({ zone, members, replicas }) => `${zone || '-'} ${replicas} replicas on ${members} members`)
    .join(', ');
}

function ringRow({ members }: Ring, balance: MemberBalance, most: number): string[] {
  const member = members.find(({ number }) => number === balance.member);
  const { partitions, primaries, ideal } = balance;
  return [
    ...[member?.name ?? '-', String(balance.member), member?.isUp === true ? 'yes' : 'no'],
    ...[member?.zone || '-', String(member?.weight ?? '-'), String(partitions), String(primaries)],
    ...[ideal.toFixed(1), loadBar(partitions, ideal, most)],
  ];
}

/** `#` is held, `+` is held beyond the ideal, `.` is missing to it. */
export function loadBar(held: number, ideal: number, most: number): string {
  const cells = (count: number): number => Math.round((count / most) * BAR_CELLS);
  const [full, want] = [cells(held), cells(ideal)];
  const both = Math.min(full, want);
  return '#'.repeat(both) + '+'.repeat(full - both) + '.'.repeat(want - both);
}

export function formatPlace(key: string, place: KeyPlace): string {
  const { slot, partition, epoch, replicas, movingTo, stage } = place;
  const up = replicas.filter(({ isUp }) => isUp).length;
  const rows = replicas.map(({ name, member, isUp, isPrimary, httpAddress }) => [
    ...[name, String(member), isPrimary ? 'primary' : 'replica', isUp ? 'yes' : 'no', httpAddress],
  ]);
  const sentence = `${key} is in slot ${slot}, partition ${partition} of epoch ${epoch}: ${up} of ${replicas.length} replicas are up`;
  const move = movingTo === undefined ? '' : `\nIt moves to the members ${movingTo.join(', ')} (${stage}).`;
  return `${sentence}${move}\n\n${formatTable([['NAME', 'MEMBER', 'ROLE', 'UP', 'HTTP'], ...rows])}`;
}
