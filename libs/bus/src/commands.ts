import {
  COMMAND_NAMES,
  COMMAND_RESULT,
  CommandAnswer,
  CommandSchema,
  INLINE_PAYLOAD_BYTES_MAX,
  SUBJECT_FILTERS,
  commandSubject,
  refuse,
  type Actor,
  type Command,
  type CommandData,
  type CommandName,
  type CommandResult,
  type Refusal,
} from '@delta-ci/contracts';
import type { Bus, BusAnswer, BusLog, BusMessage, Listener } from './bus.ts';
import { CommandRoom, type CommandRoomLimits } from './command-room.ts';
import { runAlone, type AroundHandler } from './consume-events.ts';
import { errorSentence } from './consume.ts';
import { HEADER_CONTENT_TYPE, HEADER_TRACEPARENT, sentence } from './envelope.ts';

/** The answer to a command, with the result's type. */
export type CommandAnswerOf<N extends CommandName> =
  | { readonly ok: true; readonly result: CommandResult<N>; readonly position: number }
  | { readonly ok: false; readonly refusal: Refusal };

export interface CommandOptions {
  /** Chosen by the sender; repeating the command with it returns the first answer. */
  readonly id: string;
  readonly actor: Actor;
  readonly traceparent: string | null;
  /** How long to wait for the answer, 10 s unless told; more than `waitMs` for `grant-lease`. */
  readonly timeoutMs?: number;
}

/** A decision takes milliseconds; ten seconds outlast a fail-over of the database or of the bus's leader. */
const TIMEOUT_MS_DEFAULT = 10_000;

const JSON_HEADERS = { [HEADER_CONTENT_TYPE]: 'application/json' };

/** Sends commands to the orchestrator and waits for its answer. */
export class CommandClient {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Never throws. Besides the orchestrator's own refusals: `invalid_request`, `payload_too_large`, `unavailable`
   * (nobody takes commands now), `timed_out` (it may or may not have been done: repeat with the same id).
   */
  async send<N extends CommandName>(
    name: N,
    data: CommandData<N>,
    options: CommandOptions,
  ): Promise<CommandAnswerOf<N>> {
    const { id, actor, traceparent } = options;
    const parsed = CommandSchema.safeParse({ id, name, actor, traceparent, data });
    if (!parsed.success) return refused(refuse('invalid_request', `${name}: ${sentence(parsed.error.issues)}`));
    const message = encodeCommand(parsed.data);
    if (message.body.byteLength > INLINE_PAYLOAD_BYTES_MAX) {
      return refused(refuse('payload_too_large', `the command has more than ${INLINE_PAYLOAD_BYTES_MAX} bytes`));
    }
    const reply = await this.#bus.request(message, options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
    switch (reply.outcome) {
      case 'answered':
        return readAnswer(name, reply.message);
      case 'failed':
        return refused(OUR_FAULT);
      case 'timed-out':
        return refused(refuse('timed_out', `no answer to ${name} in time; repeat it with the same id`));
      case 'unattended':
        return refused(refuse('unavailable', 'nobody takes commands now; repeat with the same id'));
      case 'unreachable':
        return refused(refuse('unavailable', 'the bus is not reachable now; repeat with the same id'));
    }
  }
}

const refused = (refusal: Refusal): { readonly ok: false; readonly refusal: Refusal } => ({ ok: false, refusal });

const OUR_FAULT = refuse('internal', 'our fault; repeat with the same id');

export function encodeCommand(command: Command): BusMessage {
  return {
    subject: commandSubject(command.name),
    headers:
      command.traceparent === null ? JSON_HEADERS : { ...JSON_HEADERS, [HEADER_TRACEPARENT]: command.traceparent },
    body: Buffer.from(JSON.stringify(command)),
  };
}

function readAnswer<N extends CommandName>(name: N, message: BusAnswer): CommandAnswerOf<N> {
  const answer = CommandAnswer.safeParse(parseJson(message.body));
  if (!answer.success) return refused(refuse('internal', `the answer to ${name} cannot be read`));
  if (!answer.data.ok) return { ok: false, refusal: answer.data.refusal };
  const result = COMMAND_RESULT[name].safeParse(answer.data.result);
  if (!result.success) return refused(refuse('internal', `the answer to ${name} is ${sentence(result.error.issues)}`));
  return { ok: true, result: result.data as CommandResult<N>, position: answer.data.position };
}

export type CommandHandler<N extends CommandName> = (command: Command<N>) => Promise<CommandAnswerOf<N>>;
export type CommandHandlers = { readonly [N in CommandName]?: CommandHandler<N> };

export interface ServeCommandsOptions {
  readonly log: BusLog;
  readonly around?: AroundHandler;
  /** Commands in hand at once by kind, `COMMAND_ROOM` unless told: beyond that `unavailable` is answered at once. */
  readonly room?: CommandRoomLimits;
}

/** What a refused sender is told to wait: commands in hand are decided within a second. */
const RETRY_AFTER_MS = 1_000;

/** Members of this queue share the commands. */
const QUEUE = 'orchestrator';

/**
 * Answers commands. Every request gets an answer: `unknown_command` for a name nobody here handles,
 * `invalid_request` for data that does not fit, `internal` when a handler throws (which it should not).
 */
export function serveCommands(bus: Bus, handlers: CommandHandlers, options: ServeCommandsOptions): Listener {
  return serveAnswers(bus, handlers, options);
}

/** As `serveCommands`, for a caller that cannot know each result's type; the sender checks it. */
export type AnsweringHandlers = { readonly [N in CommandName]?: (command: Command<N>) => Promise<CommandAnswer> };

export function serveAnswers(bus: Bus, handlers: AnsweringHandlers, options: ServeCommandsOptions): Listener {
  const room = new CommandRoom(options.room);
  return bus.answer(SUBJECT_FILTERS.commands, QUEUE, async (message) => {
    const name = nameOf(message, handlers);
    if (name === undefined) return encodeAnswer(unknownCommand(message, handlers));
    const leave = room.enter(name);
    if (leave === null) return encodeAnswer(TOO_MANY);
    try {
      return encodeAnswer(await answerCommand(name, handlers, options, message));
    } finally {
      leave();
    }
  });
}

const TOO_MANY = refused(
  refuse('unavailable', 'too many commands of this kind at once; repeat with the same id', {
    retryAfterMs: RETRY_AFTER_MS,
  }),
);

async function answerCommand(
  name: CommandName,
  handlers: AnsweringHandlers,
  options: ServeCommandsOptions,
  message: BusMessage,
): Promise<CommandAnswer> {
  const read = readCommand(name, message);
  if (!read.ok) return read;
  const { traceparent } = read.command;
  try {
    return await (options.around ?? runAlone)({ name, traceparent }, () => call(handlers, read.command));
  } catch (error) {
    options.log.error({ command: name, id: read.command.id, reason: errorSentence(error) }, 'command handler threw');
    return refused(OUR_FAULT);
  }
}

type ReadCommand = { readonly ok: true; readonly command: Command } | { readonly ok: false; readonly refusal: Refusal };

function nameOf({ subject }: BusMessage, handlers: AnsweringHandlers): CommandName | undefined {
  return COMMAND_NAMES.find((known) => commandSubject(known) === subject && handlers[known] !== undefined);
}

function unknownCommand({ subject }: BusMessage, handlers: AnsweringHandlers): CommandAnswer {
  return refused(refuse('unknown_command', `nobody takes ${subject.slice(0, 100)}`, { known: Object.keys(handlers) }));
}

function readCommand(name: CommandName, message: BusMessage): ReadCommand {
  const parsed = CommandSchema.safeParse(parseJson(message.body));
  if (!parsed.success) return refused(refuse('invalid_request', `${name}: ${sentence(parsed.error.issues)}`));
  if (parsed.data.name !== name) {
    return refused(refuse('invalid_request', `${parsed.data.name} was sent to the subject of ${name}`));
  }
  return { ok: true, command: parsed.data };
}

/** Hands a command to the handler of its name; a function of its own so that the checker sees one name on both sides. */
async function call<N extends CommandName>(handlers: AnsweringHandlers, command: Command<N>): Promise<CommandAnswer> {
  const handler = handlers[command.name];
  if (handler === undefined) return refused(refuse('unknown_command', `nobody takes ${command.name}`));
  return handler(command);
}

function encodeAnswer(answer: CommandAnswer): BusAnswer {
  return { headers: JSON_HEADERS, body: Buffer.from(JSON.stringify(answer)) };
}

/** The JSON in a body, or undefined, which no schema of ours takes. */
function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
