import { STREAMS, type Report, type ReportKind } from '@delta-ci/contracts';
import type { Bus, Delivery } from './bus.ts';
import {
  CONCURRENCY_DEFAULT,
  contextOf,
  lastToken,
  runAlone,
  type AroundHandler,
  type ConsumeHandlersOptions,
  type DeliveryContext,
} from './consume-events.ts';
import { consume, HANDLED, type Consumption, type Verdict } from './consume.ts';
import { decodeReport } from './reports.ts';
import { REPORT_CONSUMER } from './topology.ts';

export type ReportHandler<K extends ReportKind> = (report: Report<K>, context: DeliveryContext) => Promise<void>;
export type ReportHandlers = { readonly [K in ReportKind]?: ReportHandler<K> };

/**
 * Takes reports for the orchestrator, with the same promises as `consumeEvents`. A kind without a handler is parked:
 * a report nobody records would be lost silently.
 */
export function consumeReports(bus: Bus, handlers: ReportHandlers, options: ConsumeHandlersOptions): Consumption {
  return consume(bus, {
    ...options,
    stream: STREAMS.reports,
    consumer: REPORT_CONSUMER,
    concurrency: options.concurrency ?? CONCURRENCY_DEFAULT,
    keyOf: lastToken,
    handle: (delivery, signal) => handleReport(handlers, options.around ?? runAlone, delivery, signal),
  });
}

async function handleReport(
  handlers: ReportHandlers,
  around: AroundHandler,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Verdict> {
  const decoded = decodeReport(delivery);
  if (!decoded.ok) return { verdict: 'malformed', reason: decoded.reason };
  const report = decoded.value;
  if (handlers[report.kind] === undefined)
    return { verdict: 'malformed', reason: `nobody takes ${report.kind} reports` };
  const context = contextOf(delivery, signal);
  await around({ name: report.kind, traceparent: context.traceparent }, () => call(handlers, report, context));
  return HANDLED;
}

/** Hands a report to the handler of its kind; a function of its own so that the checker sees one kind on both sides. */
async function call<K extends ReportKind>(
  handlers: ReportHandlers,
  report: Report<K>,
  context: DeliveryContext,
): Promise<void> {
  const handler = handlers[report.kind];
  await handler?.(report, context);
}
