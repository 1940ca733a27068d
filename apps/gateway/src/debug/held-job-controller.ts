import { Body, Controller, Inject, Param, Res } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import {
  debugHeardSubject,
  debugInputSubject,
  DebugInput,
  ENDPOINTS,
  type CommandResult,
  type OpenDebugRequest,
} from '@delta-ci/contracts';
import type { BusAnswer } from '@delta-ci/bus';
import type { FoundLease } from '@delta-ci/event-log';
import { CallingRunner } from '../access/caller-parameter.ts';
import type { RunnerCaller } from '../access/caller.ts';
import type { EventStream } from '../http/event-streams.ts';
import type { Reply } from '../http/exchange.ts';
import { acceptedOr, refusedWith } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { TAKEN_HEADER } from './debug-controller.ts';
import { speak, standingLease, type OfLease } from '../runners/lease-speech.ts';
import { openedAt, untilLeaseEnds } from './opened-shell.ts';

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
    const lease = await standingLease(this.#parts, params, runner);
    const position = await openedAt(this.#parts.reader, lease);
    if (position === null)
      throw refusedWith('forbidden', 'nobody has a shell under this lease: say first that it is there');
    await this.#parts.shellStreams.run(reply, 'debug', async (stream) =>
      this.#passOn(stream, { ...lease, position }, params, runner),
    );
  }

  /** One input at a time, until the lease ends, the runner goes, or it listens by another stream: this one may be dead. */
  async #passOn(
    stream: EventStream,
    shell: FoundLease & { readonly position: number },
    params: OfLease,
    runner: RunnerCaller,
  ): Promise<void> {
    const { bus } = this.#parts;
    const { runId } = shell;
    const own = randomUUID();
    const left = new AbortController();
    const over = AbortSignal.any([left.signal, stream.over]);
    const subject = debugHeardSubject(runId);
    const newer = bus.listen(subject, ({ body }) => {
      if (new TextDecoder().decode(body) !== own) left.abort();
    });
    let last = Promise.resolve(true);
    const ear = bus.answer(debugInputSubject(runId), 'debug', async ({ body }) => {
      last = this.#pass(last, { stream, over }, body, params, runner);
      const taken = await last;
      if (!taken) left.abort();
      return answerOf(taken);
    });
    bus.announce({ subject, headers: {}, body: new TextEncoder().encode(own) });
    try {
      await untilLeaseEnds(this.#parts, shell, over);
    } finally {
      left.abort();
      await Promise.all([newer.stop(), ear.stop()]);
    }
  }

  /** False when the runner does not get it this way: its lease is over, so that it may be anybody's, or it is gone. */
  async #pass(
    before: Promise<boolean>,
    { stream, over }: { readonly stream: EventStream; readonly over: AbortSignal },
    body: Uint8Array,
    params: OfLease,
    runner: RunnerCaller,
  ): Promise<boolean> {
    if (!(await before) || over.aborted) return false;
    try {
      await standingLease(this.#parts, params, runner);
      const data = DebugInput.parse(JSON.parse(new TextDecoder().decode(body)));
      await stream.send({ id: String(data.sequence), type: 'input', data });
      return !over.aborted;
    } catch (error) {
      // Not what it was: keys may be in it.
      const why = error instanceof Error ? error.name : 'unknown';
      this.#parts.logger.warn({ event: 'debug-input-refused', why });
      return false;
    }
  }
}
