import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatefulSet } from '../kube/resources.ts';
import { AppliedForms } from './applied-forms.ts';

const SET = {
  metadata: { name: 'kv', namespace: 'shop', uid: 'u1', resourceVersion: '7', labels: { a: 'b' } },
  spec: { replicas: 3, serviceName: 'kv', template: { metadata: { annotations: {} } } },
} as unknown as StatefulSet;

test('AppliedForms: what the API server made of an apply is no edit, whatever controllers and the scale write', () => {
  const forms = new AppliedForms();
  assert.ok(!forms.isAsApplied('shop/kv', 'StatefulSet', SET), 'nothing was applied yet');
  forms.note('shop/kv', 'StatefulSet', SET);
  const later = {
    ...SET,
    metadata: { ...SET.metadata, resourceVersion: '9' },
    spec: { ...SET.spec, replicas: 5 },
    status: { replicas: 5 },
  } as unknown as StatefulSet;
  assert.ok(forms.isAsApplied('shop/kv', 'StatefulSet', later));
  for (const change of [
    { spec: { ...SET.spec, serviceName: 'other' } },
    { metadata: { ...SET.metadata, uid: 'u2' } },
    { metadata: { ...SET.metadata, labels: {} } },
  ])
    assert.ok(!forms.isAsApplied('shop/kv', 'StatefulSet', { ...later, ...change } as StatefulSet));
});

test('AppliedForms: of another KVCluster and of one that is gone nothing is known', () => {
  const forms = new AppliedForms();
  forms.note('shop/kv', 'StatefulSet', SET);
  assert.ok(!forms.isAsApplied('other/kv', 'StatefulSet', SET));
  forms.forget('shop/kv');
  assert.ok(!forms.isAsApplied('shop/kv', 'StatefulSet', SET));
});
