import {
  CLOUD_EVENT_TYPE_PREFIX,
  INLINE_PAYLOAD_BYTES_MAX,
  ReportSchema,
  refuse,
  reportSubject,
  type Refusal,
  type Report,
  type ReportData,
  type ReportKind,
} from '@delta-ci/contracts';
import type { Bus, BusMessage } from './bus.ts';
import { decodeCloudEvent, encodeCloudEvent, sentence, type Decoded } from './envelope.ts';

const REPORT_TYPE_PREFIX = `${CLOUD_EVENT_TYPE_PREFIX}report.`;

/** A report as it travels. `about` is the last token of its subject: what it speaks of, for instance the run. */
export function encodeReport(report: Report, about: string, time: string): BusMessage {
  const cloudEvent = {
    id: report.id,
    source: `/delta-ci/${report.kind.split('.')[0]}`,
    type: REPORT_TYPE_PREFIX + report.kind,
    subject: about,
    time,
    data: report,
  };
  return { subject: reportSubject(report.kind, about), ...encodeCloudEvent(cloudEvent, report.traceparent) };
}

/** Reads a report and checks envelope, data and that both say the same. */
export function decodeReport(message: Pick<BusMessage, 'headers' | 'body'>): Decoded<Report> {
  const envelope = decodeCloudEvent(message);
  if (!envelope.ok) return envelope;
  const parsed = ReportSchema.safeParse(envelope.value.data);
  if (!parsed.success) return { ok: false, reason: `not a report: ${sentence(parsed.error.issues)}` };
  const report = parsed.data;
  const { id, type, traceparent } = envelope.value;
  const agrees =
    id === report.id && type === REPORT_TYPE_PREFIX + report.kind && (traceparent ?? null) === report.traceparent;
  return agrees ? { ok: true, value: report } : { ok: false, reason: 'the envelope and the report it carries differ' };
}

export interface ReportOptions {
  /** Makes a repeat harmless: derive it from what is reported, e.g. `plan-<run id>-<digest>`. */
  readonly id: string;
  /** Id of the event that caused the report. */
  readonly causation: string;
  readonly traceparent: string | null;
}

export type ReportOutcome =
  /** `repeated`: the stream had this id already; all is well. */
  { readonly sent: true; readonly repeated: boolean } | { readonly sent: false; readonly refusal: Refusal };

/** Sends reports to the orchestrator. An outcome that is not `sent` may be repeated with the same id. */
export class ReportClient {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Refusals: `invalid_request` (the data does not fit its schema), `payload_too_large` (send a reference instead),
   * `unavailable` (no such stream now, or no server).
   */
  async send<K extends ReportKind>(kind: K, data: ReportData<K>, options: ReportOptions): Promise<ReportOutcome> {
    const parsed = ReportSchema.safeParse({ kind, data, ...options });
    if (!parsed.success) {
      return {
        sent: false,
        refusal: refuse('invalid_request', `the ${kind} report is ${sentence(parsed.error.issues)}`),
      };
    }
    const report = parsed.data;
    const message = encodeReport(report, aboutOf(report), new Date(this.#bus.clock.nowMs()).toISOString());
    if (message.body.byteLength > INLINE_PAYLOAD_BYTES_MAX) {
      return { sent: false, refusal: refuse('payload_too_large', tooLarge(kind, message.body.byteLength)) };
    }
    const stored = await this.#bus.store(message, { messageId: report.id });
    if (stored.outcome === 'stored' || stored.outcome === 'duplicate') {
      return { sent: true, repeated: stored.outcome === 'duplicate' };
    }
    return { sent: false, refusal: refuse('unavailable', `the report was not taken: ${stored.outcome}`) };
  }
}

function tooLarge(kind: ReportKind, bytes: number): string {
  return `the ${kind} report has ${bytes} bytes, the bus takes ${INLINE_PAYLOAD_BYTES_MAX}: send it by reference`;
}

function aboutOf({ data }: Report): string {
  if ('runId' in data) return data.runId;
  return 'pool' in data ? data.pool : data.runnerId;
}
