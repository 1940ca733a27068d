import { LeaseOffer, RegisterRunnerAnswer } from '@delta-ci/contracts';
import type { Judgement } from '../judgement.ts';
import { aReport } from '../../../test/support/made-up/completion-report.ts';
import { GatewayUnderTest, type Asked, type Reply } from './gateway-under-test.ts';
import type { GatewayRequirement } from './requirements.ts';

/** Where the gateway is, and how it gets something to do. */
export interface GatewayAddress {
  readonly url: string;
  /** Its registration token. */
  readonly token: string;
  readonly pool: string;
  readonly patienceMs: number;
  /** Has one job queued in the pool; null when somebody else sees to that. */
  readonly makeJob: (() => Promise<void>) | null;
  /** Has a run canceled; null when nobody can. */
  readonly cancelRun: ((runId: string) => Promise<void>) | null;
}

/** A registered runner that is played. */
export interface PlayedRunner {
  readonly runnerId: string;
  readonly token: string;
}

/** A runner with a lease. */
export interface Held {
  readonly runner: PlayedRunner;
  readonly offer: LeaseOffer;
}

/** What a check cannot be made without did not come. */
export class Missing extends Error {}

const REGISTRATION = {
  name: 'conformance',
  pool: '',
  capabilities: {
    os: 'linux',
    arch: 'x64',
    isolation: ['process', 'sandbox', 'container'],
    toolchains: [],
    labels: [],
  },
  version: '1',
};

export const REPORT = aReport('succeeded');
export const BEAT = { phase: 'running', percent: null, step: null, message: null, logCursor: 0 };
export const BYTES = 'application/octet-stream';
const POLL_S = 2;

/** Plays runners against a gateway, and judges what it answers. */
export class Bench {
  readonly gateway: GatewayUnderTest;
  readonly address: GatewayAddress;
  readonly #check: string;
  readonly #judgement: Judgement<GatewayRequirement>;

  constructor(address: GatewayAddress, check: string, judgement: Judgement<GatewayRequirement>) {
    this.address = address;
    this.gateway = new GatewayUnderTest(address.url);
    this.#check = check;
    this.#judgement = judgement;
  }

  /** A request below `/runner/v1`. */
  async send(asked: Asked): Promise<Reply> {
    return this.gateway.send({ ...asked, path: `/runner/v1${asked.path}` });
  }

  /** A JSON word under a lease. */
  async say({ runner, offer }: Held, what: string, body: object = {}): Promise<Reply> {
    return this.send({ path: `/leases/${offer.leaseId}/${what}`, token: runner.token, body: JSON.stringify(body) });
  }

  async log({ runner, offer }: Held, offset: number | string, text: string | Uint8Array<ArrayBuffer>): Promise<Reply> {
    return this.send({
      path: `/leases/${offer.leaseId}/log?offset=${offset}`,
      token: runner.token,
      type: BYTES,
      body: text,
    });
  }

  async register(over: object = {}): Promise<Reply> {
    const body = JSON.stringify({ ...REGISTRATION, pool: this.address.pool, ...over });
    return this.send({ path: '/runners', token: this.address.token, body });
  }

  /** @throws Missing when the gateway does not register runners */
  async runner(): Promise<PlayedRunner> {
    const reply = await this.register();
    const answer = RegisterRunnerAnswer.safeParse(reply.json);
    if (!answer.success) throw new Missing(`no runner was registered: ${reply.exchange}`);
    return answer.data;
  }

  /** A runner with a lease of a job that was made for it. @throws Missing when none comes */
  async lease(): Promise<Held> {
    await this.address.makeJob?.();
    return this.nextLease();
  }

  /** The next lease there is. */
  async nextLease(): Promise<Held> {
    const runner = await this.runner();
    const untilMs = performance.now() + this.address.patienceMs;
    while (performance.now() < untilMs) {
      const reply = await this.send({
        path: '/leases',
        token: runner.token,
        body: JSON.stringify({ waitSeconds: POLL_S }),
      });
      if (reply.status === 204) continue;
      const offer = LeaseOffer.safeParse(reply.json);
      this.judge('offers', offer.success, 'a lease of the documented shape', offer.error?.message ?? '', [reply]);
      if (!offer.success) throw new Missing(`what was offered is no lease: ${reply.exchange}`);
      return { runner, offer: offer.data };
    }
    const seconds = this.address.patienceMs / 1_000;
    throw new Missing(
      `no job came in the pool ${this.address.pool} within ${seconds} s: make one, or tell --make-job how`,
    );
  }

  /** Keeps a lease alive beside what else is said under it. @returns what ends that, once the last heartbeat is answered */
  keep(held: Held): () => Promise<void> {
    let beating = Promise.resolve();
    const timer = setInterval(() => {
      // Whether it is answered well is judged elsewhere.
      beating = beating
        .then(async () => this.say(held, 'heartbeat', BEAT))
        .then(
          () => undefined,
          () => undefined,
        );
    }, held.offer.heartbeatMs);
    return async () => {
      clearInterval(timer);
      await beating;
    };
  }

  /** Nothing is left behind: the job is reported as done. */
  async finish(held: Held): Promise<void> {
    await this.say(held, 'ack');
    await this.say(held, 'complete', REPORT);
  }

  /** Waits until `probe` gives something, asking each half a second; null when patience is over. */
  async eventually<T>(probe: () => Promise<T | null>): Promise<T | null> {
    const untilMs = performance.now() + this.address.patienceMs;
    for (;;) {
      const found = await probe();
      if (found !== null || performance.now() > untilMs) return found;
      await this.pause(500);
    }
  }

  async pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, ms);
    return promise;
  }

  judge(id: GatewayRequirement, holds: boolean, expected: string, seen: string, replies: readonly Reply[]): void {
    const exchange = holds ? [] : replies.map((reply) => reply.exchange);
    this.#judgement.note(this.#check, { id, holds, expected, seen: holds ? '' : seen, exchange });
  }

  /** Whether an answer has a status. @returns the same */
  judgeYes(id: GatewayRequirement, what: string, reply: Reply, status: number, holds = true): boolean {
    const well = reply.status === status && holds;
    this.judge(id, well, `${what}: ${status}`, `${reply.status} ${reply.code ?? ''}`, [reply]);
    return well;
  }

  /** Whether an answer says no, with this status and code. */
  judgeNo(id: GatewayRequirement, what: string, reply: Reply, status: number, code: string): void {
    const holds = reply.status === status && reply.code === code;
    this.judge(id, holds, `${what}: ${status} ${code}`, `${reply.status} ${reply.code ?? 'without a code'}`, [reply]);
  }

  skip(id: GatewayRequirement, why: string): void {
    this.#judgement.skip(id, why);
  }
}
