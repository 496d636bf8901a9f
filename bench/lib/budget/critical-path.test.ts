import assert from 'node:assert/strict';
import { test } from 'node:test';
import { criticalPath, routesOf } from './critical-path.ts';
import type { ProbeEvent } from './socket-probe.ts';

const event = (atMicros: number, kind: ProbeEvent['kind'], link = ''): ProbeEvent => ({
  atMicros,
  kind,
  link,
});

/** A put at node 0: an answer of node 1 to the first question, then its fsync, which is slower than that of node 2. */
const nodes: readonly (readonly ProbeEvent[])[] = [
  [
    event(110, 'read', 'c'),
    event(130, 'write', 'a'),
    event(131, 'write', 'b'),
    event(180, 'read', 'a'),
    event(200, 'write', 'a'),
    event(201, 'write', 'b'),
    event(390, 'read', 'a'),
    event(400, 'write', 'c'),
    event(420, 'read', 'b'),
  ],
  [
    event(140, 'read', 'a'),
    event(150, 'write', 'a'),
    event(215, 'read', 'a'),
    event(220, 'thread-out'),
    event(370, 'thread-in'),
    event(375, 'write', 'a'),
  ],
  [event(141, 'read', 'b'), event(216, 'read', 'b'), event(410, 'write', 'b')],
];
const trace = { nodes, asked: 0, clientLink: 'c' };

test('criticalPath: legs lead from the client over the replica that was waited for, and add up', () => {
  const path = criticalPath(trace, { sentMicros: 100, answeredMicros: 415 });
  assert.deepEqual(
    path?.map(({ what, micros }) => `${micros} ${what}`),
    [
      '10 client to node',
      '20 node: client -> member',
      '10 network, wake-up: node to replica',
      '10 replica: member -> member',
      '30 network, wake-up: replica to node',
      '20 node: member -> member',
      '15 network, wake-up: node to replica',
      '5 replica: member -> storage thread',
      '150 replica: storage thread, fsync and back',
      '5 replica: storage thread -> member',
      '15 network, wake-up: replica to node',
      '10 node: member -> client',
      '15 answer to client',
    ],
  );
});

test('criticalPath: none where the way leads to before the operation', () => {
  assert.equal(criticalPath(trace, { sentMicros: 145, answeredMicros: 415 }), undefined);
  assert.equal(criticalPath(trace, { sentMicros: 10, answeredMicros: 20 }), undefined);
});

test('routesOf: operations by the way they went, with medians and means of each leg', () => {
  const short = (micros: number) => [{ what: 'x', micros }];
  const routes = routesOf([short(1), [{ what: 'y', micros: 9 }], short(2), short(9)]);
  assert.deepEqual(routes, [
    { legs: [{ what: 'x', p50: 2, mean: 4 }], share: 0.75 },
    { legs: [{ what: 'y', p50: 9, mean: 9 }], share: 0.25 },
  ]);
});
