import {
  canonicalJson,
  schemaVersionOf,
  upcast,
  type DomainEvent,
  type Json,
  type RecordedEnvelope,
  type RecordedEvent,
  type RunId,
  type StreamId,
} from '@delta-ci/contracts';
import type { ProjectedEvent } from '../projections/projected-event.ts';
import { newEventId } from './event-id.ts';
import { chainHash } from './hash-chain.ts';
import type { Submission } from './submission.ts';

/** An event with everything but its place in the log. Its text is made here, before the log's head is locked. */
export interface DraftEvent {
  readonly stream: StreamId;
  readonly correlation: RunId | null;
  readonly event: ProjectedEvent;
  /** The canonical text up to the position, and from there to the version. */
  readonly textBeforePosition: string;
  readonly textBeforeVersion: string;
}

/** What all events of one submission have in common, in canonical text. */
export interface Envelope {
  readonly submission: Submission;
  readonly atMs: number;
  readonly time: string;
  readonly actorText: string;
  readonly causationText: string;
  readonly traceparentText: string;
}

/** @throws TypeError when the submission's texts have no canonical form. */
export function envelopeOf(submission: Submission, atMs: number): Envelope {
  return {
    submission,
    atMs,
    time: new Date(atMs).toISOString(),
    actorText: canonicalJson(submission.actor),
    causationText: canonicalJson(submission.causation),
    traceparentText: canonicalJson(submission.traceparent),
  };
}

/** @throws TypeError when the event's data has no canonical form, e.g. half of a surrogate pair. */
export function draftEvent(envelope: Envelope, stream: StreamId, domainEvent: DomainEvent): DraftEvent {
  const { submission, atMs, time } = envelope;
  const id = newEventId(atMs);
  const correlation = correlationOf(stream, domainEvent);
  const origin = `"actor":${envelope.actorText},"causation":${envelope.causationText}`;
  const subject = `"correlation":${canonicalJson(correlation)},"data":${canonicalJson(jsonOf(domainEvent.data))}`;
  const place = `"schemaVersion":${schemaVersionOf(domainEvent.type)},"stream":${canonicalJson(stream)},"time":"${time}"`;
  return {
    stream,
    correlation,
    event: { ...domainEvent, id, correlation, atMs, actor: submission.actor, traceparent: submission.traceparent },
    textBeforePosition: `{${origin},${subject},"id":"${id}","position":`,
    textBeforeVersion: `,${place},"traceparent":${envelope.traceparentText},"type":"${domainEvent.type}","version":`,
  };
}

/** Event data is JSON by its schemas; `unknown` members (capabilities) came out of a JSON parser. */
function jsonOf(data: DomainEvent['data']): Json {
  return data as Json;
}

const RUN_STREAM = 'run-';

/** The run whose stream this is, or that the event names (a delivery names the run it led to). */
function correlationOf(stream: StreamId, { data }: DomainEvent): RunId | null {
  if (stream.startsWith(RUN_STREAM)) return stream.slice(RUN_STREAM.length);
  return 'runId' in data ? data.runId : null;
}

/** A record as it is appended. `canonical` is RFC 8785 text of the whole record without its two hashes. */
export interface SealedEvent {
  readonly draft: DraftEvent;
  readonly position: number;
  readonly version: number;
  readonly canonical: string;
  readonly hash: string;
}

export interface SealPlace {
  readonly position: number;
  readonly version: number;
  readonly prevHash: string;
}

/** Gives a draft its place. */
export function sealEvent(draft: DraftEvent, { position, version, prevHash }: SealPlace): SealedEvent {
  const canonical = `${draft.textBeforePosition}${position}${draft.textBeforeVersion}${version}}`;
  return { draft, position, version, canonical, hash: chainHash(prevHash, canonical) };
}

/**
 * The record an appended row stands for, in the current version of its type. The text was written by `sealEvent`, maybe
 * of an earlier release; verification checks that it still is.
 * @throws when a newer release wrote it, in a version that this one does not know
 */
export function recordedEventOf(row: { canonical: string; prev_hash: string; hash: string }): RecordedEvent {
  const record = currentRecordOf(row.canonical);
  return { ...record, prevHash: row.prev_hash, hash: row.hash } as RecordedEvent;
}

/** A record's text as its own columns would have it, without hashes. @throws as `recordedEventOf` */
export function currentRecordOf(canonical: string): UnchainedRecord {
  return inCurrentVersion(JSON.parse(canonical) as UnchainedRecord);
}

export type UnchainedRecord = Omit<RecordedEnvelope, 'prevHash' | 'hash'> & DomainEvent;

/** @throws as `recordedEventOf` */
function inCurrentVersion(record: UnchainedRecord): UnchainedRecord {
  const current = upcast(record);
  if (!current.ok) throw new Error(`position ${record.position}: ${current.problem}`);
  return current.event;
}
