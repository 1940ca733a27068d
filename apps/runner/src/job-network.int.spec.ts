import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BubblewrapExecutor, DEFAULT_SANDBOX_LIMITS } from '@delta-ci/sandbox';
import type { TrustLevel } from '@delta-ci/contracts';
import { aPlannedJob } from '../../../test/support/made-up/planned-job.ts';
import { networkFor, type EgressTerms, type JobNetwork } from './job-network.ts';

const HOST = 'registry.example.org';
const LOOPBACK = '127.0.0.1';

/** Names as a company's server of names might have them. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  [HOST]: [LOOPBACK],
  'inside.example.org': ['10.0.0.1'],
  'metadata.example.org': ['169.254.169.254'],
};

const TERMS: EgressTerms = {
  mode: 'proxy',
  allow: ['*'],
  ranges: [LOOPBACK],
  upstream: null,
  resolve: async (name) => NAMES[name] ?? [],
};

function networkOf(allow: readonly string[], terms: Partial<EgressTerms> = {}, trust: TrustLevel = 'untrusted') {
  const said: string[] = [];
  const job = aPlannedJob('unit', { egress: { allow: [...allow] } });
  const given = networkFor({ job, trust }, { ...TERMS, ...terms }, (line) => said.push(line));
  return { given, said };
}

describe('which network a job gets', () => {
  it.each<[string, readonly string[], EgressTerms['mode'], TrustLevel, string]>([
    ['asks for none', [], 'proxy', 'trusted', 'none'],
    ['asks for a host of a runner that lets out nothing', [HOST], 'none', 'trusted', 'DELTA_EGRESS=proxy'],
    ['is trusted, on a runner that gives its own', [HOST], 'host', 'trusted', 'host'],
    ["is a stranger's, on a runner that gives its own", [HOST], 'host', 'untrusted', 'it to trusted changes only'],
  ])('a job that %s', (_, allow, mode, trust, expected) => {
    const { given } = networkOf(allow, { mode }, trust);
    const found = 'code' in given ? given.message : given.network;
    expect(found).toEqual(expect.stringContaining(expected));
  });

  it('entries that are no hosts are told of', () => {
    expect(networkOf(['no host']).said).toEqual(['egress: "no host" is no host, and allows nothing']);
  });
});

const executorIn = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({
    stateDir,
    killGraceMs: 500,
    bwrap: process.env['DELTA_BWRAP'] ?? 'bwrap',
    programDirs: (process.env['PATH'] ?? '').split(':'),
  });

let root = '';
let web: Server;
let other: Server;
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'delta-job-network-'));
  web = createHttpServer((asked, answer) => answer.end(`a package from ${asked.headers.host}`));
  other = createServer((socket) => socket.destroy());
  web.listen(0, LOOPBACK);
  other.listen(0, LOOPBACK);
  await Promise.all([once(web, 'listening'), once(other, 'listening')]);
});
afterAll(async () => {
  web.close();
  other.close();
  await rm(root, { recursive: true, force: true });
});

/** Asks for these urls one after the other with what Node itself brings, and says how each ended. */
const FETCH = `
for (const url of process.argv.slice(1)) {
  const said = fetch(url).then((answer) => answer.text().then((text) => answer.status + ' ' + text.trim()));
  console.log(await said.catch((error) => error.cause?.message ?? error.message));
}`;

/** What a stranger's job in a real sandbox is answered. */
async function fetched({ network }: JobNetwork, urls: readonly string[]): Promise<string[]> {
  const place = await mkdtemp(join(root, 'job-'));
  const [stateDir, hostDir] = [join(place, 'state'), join(place, 'workspace')];
  await Promise.all([mkdir(stateDir), mkdir(hostDir)]);
  const opened = await executorIn(stateDir).open({
    workspace: { hostDir, onClose: 'empty' },
    trust: 'untrusted',
    limits: DEFAULT_SANDBOX_LIMITS,
    network,
    env: {},
    binds: [{ hostPath: dirname(process.execPath) }],
    user: 'job',
    minimum: { network: 'enforced', seccomp: 'enforced' },
  });
  if (!opened.ok) throw new Error(opened.refusal.message);
  const chunks: Uint8Array[] = [];
  const argv = [process.execPath, '--input-type=module', '-e', FETCH, ...urls];
  const step = {
    command: { kind: 'argv', argv } as const,
    workdir: '.',
    env: {},
    timeoutMs: 30_000,
    idleTimeoutMs: null,
  };
  const ended = await opened.sandbox.run(step, async (chunk) => void chunks.push(chunk));
  const output = Buffer.concat(chunks).toString('utf8');
  expect({ ended, output }).toMatchObject({ ended: { kind: 'finished', result: { exitCode: 0 } } });
  expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
  return output.trim().split('\n');
}

const { usable } = await (async () => {
  const directory = await mkdtemp(join(tmpdir(), 'delta-job-network-probe-'));
  try {
    return await executorIn(directory).probe();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
})();

(usable ? describe : describe.skip)("a stranger's job in a sandbox", () => {
  it('reaches the host on its list and nothing else, and what was decided is told', async () => {
    const [port, otherPort] = [portOf(web), portOf(other)];
    const asked = [`${HOST}:${port}`, 'inside.example.org', 'metadata.example.org', 'nobody.example.org'];
    const { given, said } = networkOf(asked, { allow: [`${HOST}:${port}`, '*.example.org'] });
    if ('code' in given) throw new Error(given.message);
    const answers = await fetched(given, [
      `http://${HOST}:${port}/`,
      `http://other.example.org:${port}/`,
      `http://${HOST}:${otherPort}/`,
      'https://inside.example.org/',
      'https://metadata.example.org/',
      'http://169.254.169.254/latest/meta-data/',
      `http://2130706433:${port}/`,
      'https://nobody.example.org/',
    ]);
    given.close();
    expect(answers[0]).toBe(`200 a package from ${HOST}:${port}`);
    expect(answers.slice(1).filter((answer) => answer.startsWith('200'))).toEqual([]);
    expect(said).toEqual([
      `egress refused: other.example.org:${port}, not on the job's allow-list`,
      `egress refused: ${HOST}:${otherPort}, not on the job's allow-list`,
      'egress refused: inside.example.org:443, an address that is not of the public internet',
      'egress refused: metadata.example.org:443, the address of a metadata service',
      'egress refused: 169.254.169.254:80, the address of a metadata service',
      'egress failed: nobody.example.org:443, no server of names knows an address for it',
    ]);
    expect(given.decisions()?.[0]).toMatchObject({ host: HOST, port, decision: 'allowed', count: 1 });
  });
});
