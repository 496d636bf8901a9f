import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyOrder } from '../../core/resp/key-order.ts';
import type { Call } from './call.ts';
import { CommandOrder } from './command-order.ts';

type Fake = Pick<Call, 'keys' | 'isWrite' | 'isAlone'>;
const call = (fake: Fake): Call => fake as Call;

test('what may begin is what comparing the keys of all that is under way allows, however they come and end', () => {
  const fake = fc.record({
    keys: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }),
    isWrite: fc.boolean(),
    isAlone: fc.boolean(),
  });
  const step = fc.oneof(fc.record({ begin: fake }), fc.record({ end: fc.nat() }));
  let allowed = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const order = new CommandOrder();
      const reference = new KeyOrder();
      const open: Call[] = [];
      for (const each of steps) {
        if ('end' in each) {
          const [ended] = open.splice(open.length === 0 ? 0 : each.end % open.length, 1);
          if (ended === undefined) continue;
          order.end(ended);
          reference.end(ended.keys, ended.isWrite);
        } else {
          const next = call(each.begin);
          const isAloneOpen = open.some(({ isAlone }) => isAlone);
          const mayBegin = next.isAlone
            ? open.length === 0
            : !isAloneOpen && reference.allows(next.keys, next.isWrite);
          assert.equal(order.mayBegin(next), mayBegin);
          if (mayBegin) allowed += 1;
          else refused += 1;
          if (!mayBegin) continue;
          order.begin(next);
          reference.begin(next.keys, next.isWrite);
          open.push(next);
        }
        assert.equal(order.open, open.length);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(allowed > 50 && refused > 50, `${allowed} allowed, ${refused} refused`);
});

test('the keys of a command that is alone under way are not looked at', () => {
  const order = new CommandOrder();
  const only = call({
    get keys(): readonly string[] {
      throw new Error('nobody may ask');
    },
    isWrite: true,
    isAlone: false,
  });
  assert.equal(order.mayBegin(only), true);
  order.begin(only);
  order.end(only);
  assert.equal(order.open, 0);
});
