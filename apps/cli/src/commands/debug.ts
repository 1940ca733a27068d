import {
  DEBUG_KEYS_BYTES_MAX,
  DebugReason,
  EVENT_DATA,
  type DebugInput,
  type DomainEventOf,
} from '@delta-ci/contracts';
import type { TerminalInput } from '@delta-ci/sandbox';
import { setTimeout as pause } from 'node:timers/promises';
import { gatewayFor, type Gateway, type GatewayOptions } from '../api/gateway.ts';
import { attemptIn } from '../attempt-place.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import type { OpenTerminal } from '../screen/persons-terminal.ts';
import type { Surroundings } from '../surroundings.ts';

export interface DebugOptions extends GatewayOptions {
  readonly reason: string;
  readonly minutes: number;
}

/** `delta debug`: has the job of an attempt run again, and is in its sandbox when it fails. */
export async function debug(surroundings: Surroundings, text: string, options: DebugOptions): Promise<ExitCode> {
  const { out, terminal, interrupted } = surroundings;
  const { runId, jobKey, attempt } = attemptIn(text);
  const reason = DebugReason.safeParse(options.reason);
  if (!reason.success) {
    throw new Problem('invalid_usage', 'a reason has one to 500 characters', {
      next: 'it is kept in the log for ever',
    });
  }
  if (terminal === null) {
    throw new Problem('no_terminal', 'delta debug takes a terminal, for what is typed and for what is shown', {
      next: 'call it where neither input nor output is a file or a pipe',
    });
  }
  const gateway = await gatewayFor(surroundings, options);
  const wish = { reason: reason.data, minutes: options.minutes, ...(attempt === null ? {} : { attempt }) };
  const { runId: newRun } = await gateway.debug(runId, jobKey, wish);
  out(`${newRun}: ${jobKey} runs again for you to look into; nothing of it counts, and it has no secrets\n`);
  const opened = await untilOpened(surroundings, gateway, newRun).catch(async (error: unknown) => {
    // Whoever goes away is not waited for. With the signal raised nothing can be asked any more: another asks.
    if (interrupted.aborted) await giveUp(surroundings, options, newRun);
    throw error;
  });
  if (opened === null) return EXIT.notJudged;
  out(`a shell is open until ${new Date(opened.untilMs).toISOString()}; out of it: exit, or Ctrl-] three times\n`);
  const session = terminal.open();
  const leaving = AbortSignal.any([interrupted, session.left]);
  try {
    const inSession = await gatewayFor({ ...surroundings, interrupted: leaving }, options);
    await inShell(inSession, newRun, jobKey, opened.logOffset, session).catch((error: unknown) => {
      if (!leaving.aborted) throw error;
    });
  } finally {
    session.close();
  }
  if (leaving.aborted) await giveUp(surroundings, options, newRun);
  out(`\nThe shell is over. What it showed is kept: delta logs ${newRun} ${jobKey}\n`);
  return EXIT.succeeded;
}

const Opened = EVENT_DATA['debug.opened'];
type Opened = DomainEventOf<'debug.opened'>['data'];

const PROGRESS: Readonly<Record<string, string>> = {
  'attempt.queued': 'waits for a runner',
  'lease.granted': 'a runner has it',
  'attempt.started': 'its steps run',
};

/** Null when the run ended and no step of it failed, or nobody could have a shell; that is said. */
async function untilOpened(
  { out, err, interrupted }: Surroundings,
  gateway: Gateway,
  runId: string,
): Promise<Opened | null> {
  for await (const { type, data } of gateway.eventsOf(runId)) {
    if (type === 'debug.opened') return Opened.parse(data);
    const progress = PROGRESS[type];
    if (progress !== undefined) out(`${progress}\n`);
    if (type === 'run.planning-failed') err(`${safeLine(EVENT_DATA[type].parse(data).message)}\n`);
    if (type === 'run.finished') {
      const { outcome, reason } = EVENT_DATA[type].parse(data);
      const ended = outcome === 'succeeded' ? 'succeeded this time' : `ended as ${outcome}`;
      err(`no shell: the run ${ended} (${safeLine(reason)})\n`);
      return null;
    }
  }
  throw new Problem('canceled', 'canceled', { exitCode: interrupted.aborted ? EXIT.canceled : EXIT.notJudged });
}

async function giveUp(surroundings: Surroundings, options: DebugOptions, runId: string): Promise<void> {
  const another = { ...surroundings, interrupted: new AbortController().signal };
  const gateway = await gatewayFor(another, options);
  await gateway.cancel(runId, { reason: 'whoever wanted to look into it went away' }).catch((error: unknown) => {
    const isOver = error instanceof Problem && error.code === 'not_cancelable';
    if (!isOver) throw error;
  });
}

async function inShell(
  gateway: Gateway,
  runId: string,
  jobKey: string,
  offset: number,
  { inputs, show }: OpenTerminal,
): Promise<void> {
  const over = new AbortController();
  const typing = passOn(gateway, runId, inputs, over.signal);
  try {
    for await (const event of gateway.followLog(runId, jobKey, { attempt: 1, offset })) {
      if (!('text' in event)) return;
      await show(Buffer.from(event.text));
    }
  } finally {
    over.abort();
    await typing;
  }
}

/** Between two tries to pass on the same key: its runner may have lost the gateway for a moment. */
const AGAIN_MS = 300;

/** Everything that is typed, in order, each once the one before was taken. */
async function passOn(
  gateway: Gateway,
  runId: string,
  inputs: ReadableStream<TerminalInput>,
  over: AbortSignal,
): Promise<void> {
  const reader = inputs.getReader();
  over.addEventListener('abort', () => void reader.cancel(), { once: true });
  let sequence = 0;
  for (;;) {
    const { value } = await reader.read();
    if (value === undefined) return;
    for (const input of messagesOf(value)) {
      sequence += 1;
      await typed(gateway, runId, { sequence, input }, over);
    }
  }
}

async function typed(gateway: Gateway, runId: string, input: DebugInput, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      return await gateway.typeInto(runId, input);
    } catch (error) {
      const mayPass = error instanceof Problem && error.exitCode === EXIT.notJudged;
      if (!mayPass) return;
    }
    await pause(AGAIN_MS, undefined, { signal: over }).catch(() => undefined);
  }
}

function messagesOf(input: TerminalInput): DebugInput['input'][] {
  if (input.kind === 'size') return [input];
  const messages: DebugInput['input'][] = [];
  for (let at = 0; at < input.bytes.byteLength; at += DEBUG_KEYS_BYTES_MAX) {
    const part = input.bytes.subarray(at, at + DEBUG_KEYS_BYTES_MAX);
    messages.push({ kind: 'keys', bytes: Buffer.from(part).toString('base64') });
  }
  return messages;
}
