import { LeaseOffer, RegisterRunnerAnswer, type CompletionReport, type LeaseOffer as Offer } from '@delta-ci/contracts';
import { aReport } from '../made-up/completion-report.ts';

/** What one runner did with one lease. */
export interface Completion {
  job: string;
  attempt: number;
  status: number;
}

export interface ProtocolRunnerOptions {
  gatewayUrl: string;
  registrationToken: string;
  name: string;
  pool?: string;
  /** What it offers beside a sandbox on Linux: jobs may ask for it by name. */
  labels?: readonly string[];
}

/**
 * A runner that speaks the whole protocol and does no work: every job it takes succeeds at once. For tests of exactly-once
 * and for the benchmark, where the sandbox is not what is measured.
 */
export class ProtocolRunner {
  readonly #base: string;
  readonly #token: string;

  private constructor(gatewayUrl: string, token: string) {
    this.#base = `${gatewayUrl}/runner/v1`;
    this.#token = token;
  }

  static async register({
    gatewayUrl,
    registrationToken,
    name,
    pool = 'default',
    labels = [],
  }: ProtocolRunnerOptions): Promise<ProtocolRunner> {
    const capabilities = { os: 'linux', arch: 'x64', isolation: ['sandbox'], toolchains: [], labels };
    const response = await fetch(`${gatewayUrl}/runner/v1/runners`, {
      method: 'POST',
      headers: { authorization: `Bearer ${registrationToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name, pool, capabilities, version: '0.1.0' }),
    });
    if (!response.ok) throw new Error(`registration: HTTP ${response.status} ${await response.text()}`);
    return new ProtocolRunner(gatewayUrl, RegisterRunnerAnswer.parse(await response.json()).token);
  }

  /** Waits for work; null when there was none. */
  async lease(waitSeconds: number): Promise<Offer | null> {
    const response = await this.#post('/leases', { waitSeconds });
    if (response.status === 204) return null;
    if (!response.ok) throw new Error(`lease: HTTP ${response.status} ${await response.text()}`);
    return LeaseOffer.parse(await response.json());
  }

  async acknowledge(lease: Offer): Promise<number> {
    return drained(await this.#post(`/leases/${lease.leaseId}/ack`, {}));
  }

  async heartbeat(lease: Offer): Promise<number> {
    const beat = { phase: 'running', percent: null, step: null, message: null, logCursor: 0 };
    return drained(await this.#post(`/leases/${lease.leaseId}/heartbeat`, beat));
  }

  async complete(lease: Offer, report: Partial<CompletionReport> = {}): Promise<number> {
    return drained(await this.#post(`/leases/${lease.leaseId}/complete`, aReport('succeeded', report)));
  }

  /** Takes jobs and lets them succeed until `enough` says so. */
  async work(enough: () => boolean, onCompleted: (completion: Completion) => void): Promise<void> {
    while (!enough()) {
      const lease = await this.lease(1);
      if (lease === null) continue;
      await this.acknowledge(lease);
      const status = await this.complete(lease);
      onCompleted({ job: lease.jobKey, attempt: lease.attempt, status });
    }
  }

  async #post(path: string, body: object): Promise<Response> {
    return fetch(this.#base + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
}

async function drained(response: Response): Promise<number> {
  await response.arrayBuffer();
  return response.status;
}
