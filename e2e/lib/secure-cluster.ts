import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { type ClientOptions, KvorumClient } from '../../client/src/index.ts';
import { LOCAL_NAMES, makeAuthority, makeCertificate } from '../../store/io/tcp/test-certificates.ts';
import { freePort, ServerProcess } from './server-process.ts';

export type TokenEntry = { readonly name: string; readonly role: string; readonly token: string };

type SecureNode = {
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly directory: string;
};

const DEADLINE_MS = 30_000;
const LOOK_MS = 50;

/** Nodes as real processes that speak TLS to clients and to each other, and let in who shows a token. */
export class SecureCluster implements AsyncDisposable {
  readonly nodes: readonly SecureNode[];
  readonly caFile: string;
  readonly #directory: string;
  readonly #authority: string;
  readonly #processes: ServerProcess[] = [];
  #certificates = 0;

  private constructor(directory: string, nodes: readonly SecureNode[]) {
    this.#directory = directory;
    this.nodes = nodes;
    this.#authority = makeAuthority(directory, 'e2e');
    this.caFile = `${this.#authority}.pem`;
  }

  static async start(directory: string, size: number, tokens: readonly TokenEntry[]): Promise<SecureCluster> {
    const nodes: SecureNode[] = [];
    for (let i = 1; i <= size; i++) {
      const port = await freePort();
      const at = `${directory}/node-${i}`;
      mkdirSync(at);
      nodes.push({ name: `kvorum-${i}`, url: `https://127.0.0.1:${port}`, port, directory: at });
    }
    const cluster = new SecureCluster(directory, nodes);
    cluster.writeCertificates();
    cluster.writeTokens(tokens);
    await cluster.#run();
    return cluster;
  }

  /** New ones for all nodes, each file by itself, as they come from whoever renews them. */
  writeCertificates(): void {
    this.#certificates++;
    for (const { name, directory } of this.nodes) {
      const made = makeCertificate(
        this.#authority,
        `${this.#directory}/made`,
        `${name}-${this.#certificates}`,
        LOCAL_NAMES,
      );
      copyFileSync(made.key, `${directory}/tls.key`);
      copyFileSync(made.cert, `${directory}/tls.pem`);
    }
  }

  writeTokens(tokens: readonly TokenEntry[]): void {
    this.writeTokensText(JSON.stringify({ tokens }));
  }

  writeTokensText(content: string): void {
    for (const { directory } of this.nodes) {
      writeFileSync(`${directory}/tokens.new`, content);
      renameSync(`${directory}/tokens.new`, `${directory}/tokens.yaml`);
    }
  }

  client(token: ClientOptions['token'], options: Partial<ClientOptions> = {}): KvorumClient {
    const url = this.nodes.map((node) => node.url);
    return new KvorumClient({
      url,
      tls: { ca: readFileSync(this.caFile) },
      ...(token && { token }),
      ...options,
    });
  }

  /** The name in the certificate that a new connection to the node is shown. */
  shown({ port }: SecureNode): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', ca: readFileSync(this.caFile) }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.once('error', reject);
    });
  }

  /** Waits until every node shows a certificate of the last `writeCertificates`. */
  async showsNewest(): Promise<void> {
    const wanted = `-${this.#certificates}`;
    await this.until('the new certificates are not shown', async () => {
      const names = await Promise.all(this.nodes.map((node) => this.shown(node)));
      return names.every((name) => name.endsWith(wanted));
    });
  }

  /** The value of a metric at every node; undefined where one does not tell. */
  async metric(name: string, token: string): Promise<readonly (number | undefined)[]> {
    return await Promise.all(
      this.nodes.map(async ({ url }) => {
        const [, page] = await this.curl(['-H', `Authorization: Bearer ${token}`, `${url}/metrics`]);
        const line = page.split('\n').find((each) => each.startsWith(`${name} `));
        return line === undefined ? undefined : Number(line.slice(name.length + 1));
      }),
    );
  }

  /** Exit code and standard output. */
  async curl(args: readonly string[]): Promise<readonly [code: number, out: string]> {
    const [code, out] = await run('curl', ['-sS', '--cacert', this.caFile, ...args]);
    return [code, out];
  }

  /** The command line against the first node; exit code, standard output, standard error. */
  kvorum(
    args: readonly string[],
    environment: Record<string, string> = {},
    input = '',
  ): Promise<[number, string, string]> {
    const url = this.nodes[0]?.url as string;
    return run(process.execPath, ['cli/main.ts', ...args], { KVORUM_URL: url, ...environment }, input);
  }

  process(index: number): ServerProcess {
    return this.#processes[index - 1] as ServerProcess;
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + DEADLINE_MS;
    while (!(await isSo())) {
      if (performance.now() > endMs)
        throw new Error(`${what}:\n${this.#processes.map((each) => each.logTail()).join('\n')}`);
      await sleep(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill()));
  }

  async #run(): Promise<void> {
    const peers: number[] = [];
    for (const _ of this.nodes) peers.push(await freePort());
    for (const [at, { name, directory, port }] of this.nodes.entries()) {
      const tls = { cert: `${directory}/tls.pem`, key: `${directory}/tls.key` };
      const settings = {
        ...{ 'node.name': name, 'cluster.bootstrap': String(at === 0), 'peer.port': peers[at] as number },
        ...{ 'cluster.replicationFactor': this.nodes.length, 'cluster.partitions': 16 },
        'cluster.seeds': peers
          .filter((_, other) => other !== at)
          .map((peer) => `127.0.0.1:${peer}`)
          .join(','),
        ...{
          'http.tlsCert': tls.cert,
          'http.tlsKey': tls.key,
          'http.tokensFile': `${directory}/tokens.yaml`,
        },
        ...{ 'peer.tlsCert': tls.cert, 'peer.tlsKey': tls.key, 'peer.tlsCa': this.caFile },
        'storage.reserveBytes': 0,
      };
      this.#processes.push(ServerProcess.spawn({ directory, port, settings }));
    }
    await this.until('the nodes are not ready', async () => {
      const answers = await Promise.all(this.nodes.map(({ url }) => this.curl(['-f', `${url}/readyz`])));
      return answers.every(([code]) => code === 0);
    });
  }
}

async function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  input = '',
): Promise<[number, string, string]> {
  const child = spawn(command, args, { env: { ...process.env, NO_COLOR: '1', ...environment } });
  child.stdin.on('error', () => {}); // who has failed reads no more
  child.stdin.end(input);
  const closed = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return [await closed, out, err];
}
