import type { LoggerService } from '@nestjs/common';
import type { Logger } from './create-logger.ts';

/** What Nest says while it wires modules is of interest to whoever debugs wiring, not to whoever runs the service. */
const WIRING = new Set(['InstanceLoader', 'RouterExplorer', 'RoutesResolver', 'NestFactory', 'NestApplication']);

/** Lets Nest write into our log: the context Nest names becomes `component`. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, ...rest: unknown[]): void {
    const component = contextOf(rest);
    this.#write(component !== undefined && WIRING.has(component) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  #write(level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace', message: unknown, rest: unknown[]): void {
    const component = contextOf(rest);
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {};
    const fields = { ...(component === undefined ? {} : { component }), ...stack };
    if (message instanceof Error) this.#logger[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'object' && message !== null) this.#logger[level]({ ...fields, detail: message });
    else this.#logger[level](fields, String(message));
  }
}

/** Nest passes the context as the last argument. */
function contextOf(rest: unknown[]): string | undefined {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : undefined;
}
