import type { CommandName } from './commands.ts';
import type { EventType } from './events.ts';
import type { PoolName } from './ids.ts';
import type { ReportKind } from './reports.ts';

/** Subjects and streams of the bus: the one place that spells them. */
export const STREAMS = { events: 'EVENTS', reports: 'REPORTS', dispatch: 'DISPATCH', parked: 'PARKED' } as const;
export type StreamName = (typeof STREAMS)[keyof typeof STREAMS];

export const SUBJECT_FILTERS = {
  events: 'delta.events.>',
  reports: 'delta.reports.>',
  dispatch: 'delta.dispatch.>',
  parked: 'delta.parked.>',
  commands: 'delta.commands.>',
} as const;

/** One token of a subject: dots, spaces and wildcards would change its meaning. */
export function subjectToken(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 200) || '_';
}

/** `delta.events.<aggregate>.<type>.<id>`: aggregate and type are the two halves of the event's type, id is the stream's. */
export function eventSubject(type: EventType, stream: string): string {
  return `delta.events.${type}.${subjectToken(stream)}`;
}

/** `delta.reports.<service>.<kind>.<id>` */
export function reportSubject(kind: ReportKind, id: string): string {
  return `delta.reports.${kind}.${subjectToken(id)}`;
}

export const dispatchSubject = (pool: PoolName): string => `delta.dispatch.${pool}`;
export const commandSubject = (name: CommandName): string => `delta.commands.${name}`;
export const parkedSubject = (stream: StreamName, consumer: string): string =>
  `delta.parked.${stream}.${subjectToken(consumer)}`;
/** Where an operator sends a parked event back to the one service that could not handle it. */
export const retrySubject = (service: string): string => `delta.parked.retry.${subjectToken(service)}`;

/** Core request: what is typed into the shell of a run, for the gateway that its runner listens at. */
export const debugInputSubject = (runId: string): string => `delta.debug.${runId}`;
/** Core (not stored): a runner listens anew to what is typed into the shell of a run, by the stream named in the body. Older ones end. */
export const debugHeardSubject = (runId: string): string => `delta.debug.${runId}.heard`;

/** `Nats-Msg-Id` of a log event: lets the stream drop repeats within its window. */
export const eventMessageId = (position: number): string => `ev-${position}`;

/** Core (not stored) subject that tells followers an attempt's log grew. */
export const logGrewSubject = (runId: string, jobKey: string): string => `delta.logs.${runId}.${subjectToken(jobKey)}`;
