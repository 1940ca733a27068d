import { trace } from '@opentelemetry/api';
import { pino, type Logger as PinoLogger } from 'pino';
import { leaseHashOf } from './lease-hash.ts';
import { prettyLine } from './pretty-line.ts';
import type { Redactor } from './redaction.ts';

export type Logger = PinoLogger;

/** Where finished lines go; a line ends in a newline. */
export interface LineSink {
  write(line: string): void;
}

export interface LoggerOptions {
  service: string;
  instance: string;
  level: string;
  /** Render for a person instead of as JSON; the caller has made sure that a terminal is looking. */
  pretty: boolean;
  redactor: Redactor;
  /** Standard output unless told otherwise. */
  sink?: LineSink;
}

/** Ids that log lines are found by. A lease goes in as its id and comes out as its hash. */
export interface LogIds {
  run?: string;
  job?: string;
  attempt?: number;
  repository?: string;
  component?: string;
  runner?: string;
  leaseId?: string;
}

/**
 * JSON logs, one object per line: `time`, `level`, `service`, `instance`, trace ids when a span is active, the bound
 * ids, `event`, `msg`. Everything passes the redactor twice: fields by name, and the finished line by look.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { redactor } = options;
  return pino(
    {
      level: options.level,
      base: { service: options.service, instance: options.instance },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: activeTraceIds,
      formatters: { level: (label) => ({ level: label }), log: (fields) => redactor.fields(fields) },
      serializers: { err: (plain: unknown) => plain },
      hooks: { streamWrite: (line) => finishLine(redactor.text(line), options.pretty) },
    },
    options.sink ?? standardOutput(),
  );
}

/** A logger whose every line carries these ids. */
export function withIds(logger: Logger, ids: LogIds): Logger {
  const { leaseId, ...rest } = ids;
  return logger.child(leaseId === undefined ? rest : { ...rest, lease_hash: leaseHashOf(leaseId) });
}

/** Synchronous on purpose: the line that explains a crash must be out before the process is gone. */
function standardOutput(): LineSink {
  return pino.destination({ fd: 1, sync: true });
}

function finishLine(line: string, pretty: boolean): string {
  return pretty ? prettyLine(line) : line;
}

function activeTraceIds(): Record<string, string> {
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined ? {} : { trace_id: active.traceId, span_id: active.spanId };
}
