import { Body, Controller, Inject } from '@nestjs/common';
import { ENDPOINTS, type RegisterRunnerAnswer, type RegisterRunnerRequest } from '@delta-ci/contracts';
import { CallingRunner } from '../access/caller-parameter.ts';
import type { RunnerCaller } from '../access/caller.ts';
import { envelopeFor, newRunnerId } from '../command-ids.ts';
import { acceptedOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';

/** How runners come in. */
@Controller()
export class RunnerController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('registerRunner')
  async register(
    @Body({ schema: ENDPOINTS.registerRunner.body.content }) body: RegisterRunnerRequest,
  ): Promise<RegisterRunnerAnswer> {
    const runnerId = newRunnerId();
    const envelope = envelopeFor(`register-${runnerId}`, { kind: 'runner', name: runnerId });
    acceptedOr(await this.#parts.commands.send('register-runner', { runnerId, ...body }, envelope));
    return { runnerId, ...this.#parts.proofs.runners.issue(runnerId, body.pool) };
  }

  @Route('renewToken')
  renew(
    @CallingRunner() caller: RunnerCaller,
    @Body({ schema: ENDPOINTS.renewToken.body.content }) _body: object,
  ): RegisterRunnerAnswer {
    const issued = this.#parts.proofs.runners.renew(caller);
    if (issued === null)
      throw refusedWith('unauthenticated', 'this token has been renewed for long enough: register anew');
    return { runnerId: caller.runnerId, ...issued };
  }
}
