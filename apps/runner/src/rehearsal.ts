import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  DEFAULT_JOB_LIMITS,
  DEFAULT_JOB_POLICY,
  refuse,
  type CompletionReport,
  type LeaseOffer,
  type PlannedJob,
} from '@delta-ci/contracts';
import { Git } from '@delta-ci/git';
import { DummyExecutor } from '@delta-ci/sandbox';
import type { Logger } from '@delta-ci/service';
import { carryOutAttempt } from './attempt.ts';
import { GatewayClient } from './gateway-client.ts';
import { jobDirectoryIn } from './job-directory.ts';
import { Leavings } from './leavings.ts';

/** Far more than it takes: none of these times passes. */
const AMPLE_MS = 60_000;

const JOB: PlannedJob = {
  key: 'rehearsal',
  title: 'rehearsal',
  kind: 'custom',
  unit: null,
  needs: [],
  steps: [{ name: 'true', run: 'true', workdir: '.' }],
  env: {},
  image: null,
  requirements: { pool: 'rehearsal', os: 'linux', isolation: 'process', toolchains: [], labels: [] },
  limits: DEFAULT_JOB_LIMITS,
  egress: { allow: [] },
  secrets: [],
  artifacts: [],
  caches: [],
  policy: DEFAULT_JOB_POLICY,
  explanation: { decision: 'run', chain: [{ kind: 'change', detail: 'rehearsal' }], sentence: 'It is a rehearsal.' },
};

/** A lease of nobody's; what looks like a secret in it opens nothing. */
const leaseAt = (address: string): LeaseOffer => ({
  leaseId: '0'.repeat(64),
  runId: `run_${'0'.repeat(32)}`,
  jobKey: JOB.key,
  attempt: 1,
  fence: 1,
  ttlMs: AMPLE_MS,
  heartbeatMs: AMPLE_MS,
  acceptanceMs: AMPLE_MS,
  maxRuntimeMs: AMPLE_MS,
  trust: 'trusted',
  job: JOB,
  source: {
    cloneUrl: `${address}/rehearsal.git`,
    ref: 'refs/heads/rehearsal',
    commit: '0'.repeat(40),
    tree: '0'.repeat(40),
    token: 'token-of-the-rehearsal',
  },
  secrets: {},
  traceparent: null,
});

/** Packets of a remote that gives a commit: nobody looks into the pack. */
const PACK = '000dpackfile\n0009\u0001PACK0000';

/** A gateway and a remote that give one job, and hear how it ended. */
class Stage {
  readonly #server: Server;
  readonly #over: AbortSignal;
  /** The report's summary, where it is not what was to be. */
  problem: string | null = 'nothing was reported';

  /** @param over from then on the lease is gone: whoever speaks under it stops at once, and reports nothing */
  constructor(over: AbortSignal) {
    this.#over = over;
    this.#server = createServer((request, reply) => {
      // Whoever breaks off is heard of at the other end.
      this.#answer(request, reply).catch(() => reply.destroy());
    });
  }

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const say = (answer: object): void => {
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    };
    const what = pathname.split('/').at(-1);
    if (this.#over.aborted)
      reply
        .writeHead(409, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: refuse('stale_lease', 'the rehearsal is over') }));
    else if (what === 'git-upload-pack')
      reply.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end(PACK);
    else if (what === 'leases') say(leaseAt(this.url));
    else if (what === 'ack') say({ state: 'active' });
    else if (what === 'log') say({ nextOffset: Number(searchParams.get('offset')) + body.byteLength });
    else if (what === 'complete') say(this.#taken(JSON.parse(body.toString()) as CompletionReport));
    else reply.writeHead(404).end();
  }

  #taken({ outcome, summary }: CompletionReport): object {
    this.problem = outcome === 'succeeded' ? null : summary;
    return { outcome };
  }
}

/** Node hands this function to contexts that are made under the flag, and to no other. It stops the process for some 10 to 30 ms. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Goes through an attempt that is nobody's, for what a runner does under its one lease it would otherwise do for the first time:
 * code is compiled and schemas are made when they are first used, and a small job waits for that longer than for anything else. What
 * that and the start leave is collected at once: a heap that is full is collected as a whole in the middle of the job.
 * Gateway and remote are of this process, behind a port of the loopback; in the sandbox nothing runs, and no program is started.
 * @param workDir this process's own
 * @param over ends it: there is real work
 * @throws Error when the attempt did not end as such an attempt ends
 */
export async function rehearse(workDir: string, logger: Logger, over: AbortSignal): Promise<void> {
  const stage = new Stage(over);
  await stage.open();
  const token = { current: () => Promise.resolve('token-of-the-rehearsal') };
  try {
    const client = new GatewayClient(stage.url);
    const lease = await client.requestLease(await token.current(), 0, over);
    if (lease === null || over.aborted) return;
    const silent = logger.child({}, { level: 'silent' });
    await carryOutAttempt(lease, {
      executor: new DummyExecutor(),
      // Without a proxy: it would be asked for what is here.
      git: new Git({ environment: {} }),
      client,
      token,
      logger: silent,
      leavings: new Leavings(jobDirectoryIn(workDir), silent),
      sources: { protocols: ['http'], hosts: [], lfsCache: null, packCache: null },
      toolchainDirs: [],
      egress: { mode: 'none', allow: [], ranges: [], upstream: null, resolve: () => Promise.resolve([]) },
      nowMs: Date.now,
      stopping: over,
    });
    if (over.aborted) return;
    if (stage.problem !== null) throw new Error(`the rehearsal did not go well: ${stage.problem}`);
    collectGarbage();
  } finally {
    stage.close();
  }
}
