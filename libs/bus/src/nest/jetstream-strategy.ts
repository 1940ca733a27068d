import {
  COMMAND_NAMES,
  CommandAnswer,
  EVENT_TYPES,
  REPORT_KINDS,
  type CommandName,
  type EventType,
  type ReportKind,
} from '@delta-ci/contracts';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Bus, Listener } from '../bus.ts';
import { serveAnswers, type ServeCommandsOptions } from '../commands.ts';
import { consumeEvents, type ConsumeHandlersOptions, type DeliveryContext } from '../consume-events.ts';
import { consumeReports } from '../consume-reports.ts';
import type { Consumption } from '../consume.ts';
import { EVENT_SERVICES, type EventService } from '../topology.ts';
import { PATTERN_PREFIX } from './decorators.ts';

export interface JetStreamStrategyOptions extends ConsumeHandlersOptions {
  /** Whose durable consumer events come from: one of `EVENT_SERVICES`. Needed by services with `@OnEvent` handlers. */
  readonly service: EventService | 'orchestrator';
  /** How long `close` waits for what is being handled before it hands it back, 20 s unless told. */
  readonly drainMs?: number;
}

type Callback = (...parameters: unknown[]) => void;

/**
 * Nest's transport over the bus: routes events, reports and commands to the controller methods marked with `@OnEvent`,
 * `@OnReport` and `@OnCommand`. A method that resolves acks its message; one that throws gets it again, later.
 * The bus is handed in connected and is not closed here.
 */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('delta-ci-jetstream');
  /** Failures reach the consumption, which retries and parks; Nest need not log them as unhandled. */
  override readonly propagatesEventHandlerErrors = true;
  readonly #bus: Bus;
  readonly #options: JetStreamStrategyOptions;
  #consumptions: Consumption[] = [];
  #commands: Listener | null = null;

  constructor(bus: Bus, options: JetStreamStrategyOptions) {
    super();
    this.#bus = bus;
    this.#options = options;
  }

  listen(callback: Callback): void {
    const { events, reports, commands } = this.#route();
    if (Object.keys(events).length > 0) {
      this.#consumptions.push(consumeEvents(this.#bus, this.#eventService(), events, this.#options));
    }
    if (Object.keys(reports).length > 0) {
      this.#consumptions.push(consumeReports(this.#bus, reports, this.#options));
    }
    if (Object.keys(commands).length > 0) {
      this.#commands = serveAnswers(this.#bus, commands, commandOptions(this.#options));
    }
    callback();
  }

  /** Takes no more, waits for what is being handled, hands the rest back. */
  async close(): Promise<void> {
    await this.#commands?.stop();
    this.#commands = null;
    const consumptions = this.#consumptions.splice(0);
    await Promise.all(consumptions.map((consumption) => consumption.close(this.#options.drainMs)));
  }

  on(event: string): never {
    throw new Error(`this transport emits no ${event}: watch Bus.isConnected instead`);
  }

  unwrap(): never {
    throw new Error('this transport has nothing inside to hand out: inject the bus it was made with');
  }

  #route(): Routes {
    const routes: Routes = { events: {}, reports: {}, commands: {} };
    for (const [pattern, handler] of this.messageHandlers) {
      const type = named(EVENT_TYPES, PATTERN_PREFIX.event, pattern);
      const kind = named(REPORT_KINDS, PATTERN_PREFIX.report, pattern);
      const name = named(COMMAND_NAMES, PATTERN_PREFIX.command, pattern);
      if (type !== undefined) routes.events[type] = run(handler);
      else if (kind !== undefined) routes.reports[kind] = run(handler);
      else if (name !== undefined) routes.commands[name] = answer(handler);
      else throw new Error(`${pattern} names no event, report or command: use @OnEvent, @OnReport or @OnCommand`);
    }
    return routes;
  }

  #eventService(): EventService {
    const service = EVENT_SERVICES.find((known) => known === this.#options.service);
    if (service === undefined) throw new Error(`${this.#options.service} has no consumer of events`);
    return service;
  }
}

type Run = (message: unknown, context: DeliveryContext) => Promise<void>;
type Answer = (command: unknown) => Promise<CommandAnswer>;

/** What Nest found, by what it is for. */
interface Routes {
  readonly events: Partial<Record<EventType, Run>>;
  readonly reports: Partial<Record<ReportKind, Run>>;
  readonly commands: Partial<Record<CommandName, Answer>>;
}

/** The member of a closed list that a pattern names. */
function named<T extends string>(known: readonly T[], prefix: string, pattern: string): T | undefined {
  return known.find((name) => prefix + name === pattern);
}

function run(handler: MessageHandler): Run {
  return async (message, context) => {
    await resultOf(handler(message, context));
  };
}

function answer(handler: MessageHandler): Answer {
  return async (command) => CommandAnswer.parse(await resultOf(handler(command)));
}

/** Nest answers with a promise of a value or of a stream; its last value counts, its error is thrown. */
async function resultOf(handled: Promise<unknown>): Promise<unknown> {
  const result = await handled;
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

function commandOptions(options: JetStreamStrategyOptions): ServeCommandsOptions {
  const { log, around } = options;
  return around === undefined ? { log } : { log, around };
}
