import { setTimeout as pause } from 'node:timers/promises';
import type { LeaseOffer } from '@delta-ci/contracts';
import { ProtocolRunner, type ProtocolRunnerOptions } from '../../support/protocol-runner/protocol-runner.ts';
import { eventually } from '../../support/infra/index.ts';
import type { EffectLedger } from '../../support/mesh/index.ts';

/** Between two requests to a gateway that could not answer. */
const AGAIN_MS = 100;

/**
 * A runner that does no work and does it through everything: what is not answered is asked again, as the protocol wants
 * it. It keeps the ledger for its jobs, which have no sandbox to keep it from.
 */
export class StubbornRunner {
  readonly #runner: ProtocolRunner;
  readonly #effects: EffectLedger;

  private constructor(runner: ProtocolRunner, effects: EffectLedger) {
    this.#runner = runner;
    this.#effects = effects;
  }

  static async register(options: ProtocolRunnerOptions, effects: EffectLedger): Promise<StubbornRunner> {
    const runner = await eventually(`${options.name} is registered`, async () => ProtocolRunner.register(options));
    return new StubbornRunner(runner, effects);
  }

  /** Takes jobs and lets them succeed until `enough` says so. @returns how many completions were accepted */
  async work(enough: () => boolean): Promise<number> {
    let accepted = 0;
    while (!enough()) {
      const lease = await this.#runner.lease(1).catch(async () => pause(AGAIN_MS, null));
      if (lease !== null && (await this.#carryOut(lease, enough))) accepted += 1;
    }
    return accepted;
  }

  /** @returns whether the control plane took the completion; it does not when the lease is over by then */
  async #carryOut(lease: LeaseOffer, enough: () => boolean): Promise<boolean> {
    if ((await answered(async () => this.#runner.acknowledge(lease), enough)) !== 200) return false;
    this.#effects.note('start', lease);
    this.#effects.note('end', lease);
    return (await answered(async () => this.#runner.complete(lease), enough)) === 200;
  }
}

/** The first answer that is one: a gateway that is away or not sure is asked again. */
async function answered(ask: () => Promise<number>, enough: () => boolean): Promise<number> {
  for (;;) {
    const status = await ask().catch(() => 0);
    if ((status > 0 && status < 500) || enough()) return status;
    await pause(AGAIN_MS);
  }
}
