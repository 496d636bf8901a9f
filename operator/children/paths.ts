/** What the image holds, as the Containerfile has it: the project at /app, and `node` where PATH finds it. No shell is needed. */
export const CLI = ['node', '/app/cli/main.ts'] as const;

/** Where a pod of the store has its files. */
export const FILES = {
  volume: '/var/lib/kvorum',
  /** Not the root of the volume, where file systems keep things of their own. */
  data: '/var/lib/kvorum/data',
  config: '/etc/kvorum',
  settings: '/etc/kvorum/kvorum.yaml',
  auth: '/etc/kvorum-auth',
  peerTls: '/etc/kvorum-peer-tls',
  httpTls: '/etc/kvorum-http-tls',
  tmp: '/tmp',
} as const;
