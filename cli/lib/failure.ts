import { KvorumConnectionError, KvorumError, KvorumResponseError, KvorumTimeoutError } from '@kvorum/client';
import { CliError, EXIT, type ExitCode } from './cli-error.ts';

/** How the process ends for what a command threw; undefined for what is a defect of the program. */
export function failureOf(
  error: unknown,
): { readonly exitCode: ExitCode; readonly message: string } | undefined {
  if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof KvorumTimeoutError)
    return { exitCode: EXIT.timeout, message: `${error.message}. --timeout MS allows more.` };
  if (error instanceof KvorumConnectionError)
    return {
      exitCode: EXIT.noConnection,
      message: `${error.message}. ${adviceOn(error)}`,
    };
  if (error instanceof KvorumResponseError)
    return { exitCode: EXIT.refused, message: [error.message, error.action].filter(Boolean).join(' ') };
  if (error instanceof KvorumError) return { exitCode: EXIT.refused, message: error.message };
  if (error instanceof TypeError || error instanceof RangeError)
    return { exitCode: EXIT.usage, message: error.message };
  const { code, message } = error as NodeJS.ErrnoException;
  return code !== undefined && /^E[A-Z]+$/.test(code) ? { exitCode: EXIT.usage, message } : undefined;
}

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/;

function adviceOn({ cause }: KvorumConnectionError): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (CERTIFICATE_CODES.test(code))
    return '--ca FILE (or KVORUM_CA) names the authority of the nodes; the certificate must name the host of the URL.';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return 'Does the node speak TLS there? An http:// URL is for one that does not.';
  if (code === 'ECONNRESET' || code === 'HPE_INVALID_CONSTANT')
    return 'Is a node running there, and does it speak TLS? Then the URL begins with https://.';
  return 'Is a node running there? --url or KVORUM_URL names another.';
}
