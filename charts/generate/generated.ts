import { crdTemplate } from './crd-template.ts';
import { dashboard } from './dashboard.ts';
import { kvclusterPage } from './kvcluster-page.ts';
import { readme } from './readme.ts';
import { valuesSchema } from './values-schema.ts';

/** Files that are made from something else, by their paths from charts/. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'kvorum/templates/crds/kvclusters.yaml': crdTemplate,
  'kvorum/values.schema.json': valuesSchema,
  'kvorum/README.md': readme,
  '../docs/kvcluster.md': kvclusterPage,
  'kvorum/files/dashboard.json': dashboard,
};
