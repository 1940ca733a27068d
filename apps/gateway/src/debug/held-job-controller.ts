import { Body, Controller, Inject, Param, Res } from '@nestjs/common';
import {
  debugInputSubject,
  DebugInput,
  ENDPOINTS,
  type CommandResult,
  type OpenDebugRequest,
} from '@delta-ci/contracts';
import type { BusAnswer } from '@delta-ci/bus';
import { CallingRunner } from '../access/caller-parameter.ts';
import type { RunnerCaller } from '../access/caller.ts';
import type { EventStream } from '../http/event-streams.ts';
import type { Reply } from '../http/exchange.ts';
import { acceptedOr } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { TAKEN_HEADER } from './debug-controller.ts';
import { speak, standingLease, type OfLease } from '../runners/lease-speech.ts';

const E = ENDPOINTS;
const answerOf = (taken: boolean): BusAnswer => ({
  headers: { [TAKEN_HEADER]: taken ? 'yes' : 'no' },
  body: new Uint8Array(),
});

/** A runner keeps the sandbox of a step that failed, and hears what is typed into its shell. */
@Controller()
export class HeldJobController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('openDebug')
  async open(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.openDebug.params }) params: OfLease,
    @Body({ schema: E.openDebug.body.content }) { logOffset }: OpenDebugRequest,
  ): Promise<CommandResult<'open-debug'>> {
    const { lease, envelope } = speak('open-debug', params, runner, String(logOffset));
    return acceptedOr(await this.#parts.commands.send('open-debug', { ...lease, logOffset }, envelope));
  }

  @Route('followDebug')
  async follow(
    @CallingRunner() runner: RunnerCaller,
    @Param({ schema: E.followDebug.params }) params: OfLease,
    @Res() reply: Reply,
  ): Promise<void> {
    const { runId } = await standingLease(this.#parts, params, runner);
    await this.#parts.streams.run(reply, 'debug', async (stream) => this.#passOn(stream, runId, params, runner));
  }

  /** One input at a time, for as long as the runner takes them. */
  async #passOn(stream: EventStream, runId: string, params: OfLease, runner: RunnerCaller): Promise<void> {
    let last = Promise.resolve(true);
    const over = Promise.withResolvers<void>();
    const ear = this.#parts.bus.answer(debugInputSubject(runId), 'debug', async ({ body }) => {
      last = this.#pass(last, stream, body, params, runner);
      const taken = await last;
      if (!taken) over.resolve();
      return answerOf(taken);
    });
    stream.over.addEventListener('abort', () => over.resolve(), { once: true });
    if (stream.over.aborted) over.resolve();
    try {
      await over.promise;
    } finally {
      await ear.stop();
    }
  }

  /** False when the runner does not get it: its lease is over, so that it may be anybody's, or it is gone. */
  async #pass(
    before: Promise<boolean>,
    stream: EventStream,
    body: Uint8Array,
    params: OfLease,
    runner: RunnerCaller,
  ): Promise<boolean> {
    if (!(await before)) return false;
    try {
      await standingLease(this.#parts, params, runner);
      const data = DebugInput.parse(JSON.parse(new TextDecoder().decode(body)));
      await stream.send({ id: String(data.sequence), type: 'input', data });
      return !stream.over.aborted;
    } catch (error) {
      // Not what it was: keys may be in it.
      const why = error instanceof Error ? error.name : 'unknown';
      this.#parts.logger.warn({ event: 'debug-input-refused', why });
      return false;
    }
  }
}
