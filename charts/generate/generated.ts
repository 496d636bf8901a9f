import { crdTemplate } from './crd-template.ts';
import { dashboard } from './dashboard.ts';
import { readme } from './readme.ts';
import { valuesSchema } from './values-schema.ts';

/** Files of the chart that are made from something else, by their paths from charts/. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'kvorum/templates/crds/kvclusters.yaml': crdTemplate,
  'kvorum/values.schema.json': valuesSchema,
  'kvorum/README.md': readme,
  'kvorum/files/dashboard.json': dashboard,
};
