import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** charts/manifests/kvorum-operator.yaml: the chart for those who do not use Helm. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const NAMESPACE = 'kvorum-system';
/** What the templates are rendered for: a Kubernetes of today, whatever helm was built with. */
const KUBE_VERSION = '1.34.0';

/** Standard output of `helm template`; throws with what helm says. */
export function renderChart(helm: string, args: readonly string[], namespace = NAMESPACE): string {
  const all = [
    'template',
    'kvorum',
    'charts/kvorum',
    '--namespace',
    namespace,
    '--kube-version',
    KUBE_VERSION,
  ];
  return execFileSync(helm, [...all, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: 'pipe',
    maxBuffer: 1 << 24,
  });
}

export function plainManifests(helm: string): string {
  const rendered = renderChart(helm, ['--skip-tests']);
  const ofHelm = /^ *(helm\.sh\/chart|helm\.sh\/resource-policy|app\.kubernetes\.io\/managed-by): .*\n/gm;
  const plain = rendered
    .replace(ofHelm, '')
    .replace(/^ *annotations:\n(?=\S| {2}\S)/gm, '')
    .replace(/^# Source: .*\n/gm, '');
  const standard = '  labels:\n    pod-security.kubernetes.io/enforce: restricted\n';
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${NAMESPACE}\n${standard}`;
  return `# Rendered from charts/kvorum: UPDATE_GOLDEN=1 ./dev.sh test charts\n${namespace}${plain}`;
}
