import { gunzipSync, gzipSync } from 'node:zlib';
import { CLOUD_EVENT_CONTENT_TYPE, CloudEvent } from '@delta-ci/contracts';
import type { BusHeaders, BusMessage } from './bus.ts';

/**
 * CloudEvents 1.0 in structured JSON, both ways. Ours is stricter than the published SDK, which lets invalid events
 * through: what does not keep the specification, or carries an attribute we do not know, is refused with a sentence.
 */

/** Bodies over this are compressed: the plan of a big run shrinks about tenfold and fits the server's 1 MiB. */
const COMPRESS_FROM_BYTES = 128 * 1024;

/** A body that unpacks to more than this is not one of ours: the largest legal event is under half of it. */
const UNPACKED_BYTES_MAX = 32 * 1024 * 1024;

export const HEADER_CONTENT_TYPE = 'content-type';
export const HEADER_CONTENT_ENCODING = 'content-encoding';
export const HEADER_TRACEPARENT = 'traceparent';

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/** Headers and body of an envelope; `extra` headers are added as they are. */
export function encodeCloudEvent(
  event: Omit<CloudEvent, 'specversion' | 'datacontenttype' | 'traceparent'>,
  traceparent: string | null,
  extra: BusHeaders = {},
): Omit<BusMessage, 'subject'> {
  const envelope: CloudEvent = {
    specversion: '1.0',
    datacontenttype: 'application/json',
    ...event,
    ...(traceparent === null ? {} : { traceparent }),
  };
  const json = Buffer.from(JSON.stringify(envelope));
  const compressed = json.byteLength > COMPRESS_FROM_BYTES;
  return {
    headers: {
      [HEADER_CONTENT_TYPE]: CLOUD_EVENT_CONTENT_TYPE,
      ...(compressed ? { [HEADER_CONTENT_ENCODING]: 'gzip' } : {}),
      ...(traceparent === null ? {} : { [HEADER_TRACEPARENT]: traceparent }),
      ...extra,
    },
    body: compressed ? gzipSync(json) : json,
  };
}

/** Reads and checks an envelope; `data` is left to the schema of its type. */
export function decodeCloudEvent(message: Pick<BusMessage, 'headers' | 'body'>): Decoded<CloudEvent> {
  if (mediaType(message.headers[HEADER_CONTENT_TYPE]) !== CLOUD_EVENT_CONTENT_TYPE) {
    return { ok: false, reason: `the content type is not ${CLOUD_EVENT_CONTENT_TYPE}` };
  }
  const json = parseJson(message);
  if (!json.ok) return json;
  const parsed = CloudEvent.safeParse(json.value);
  if (!parsed.success) return { ok: false, reason: `not a CloudEvent: ${sentence(parsed.error.issues)}` };
  const broken = brokenAttribute(parsed.data);
  if (broken !== null) return { ok: false, reason: `not a CloudEvent: ${broken}` };
  const header = message.headers[HEADER_TRACEPARENT];
  if (header !== undefined && header !== parsed.data.traceparent) {
    return { ok: false, reason: 'the traceparent header and attribute differ' };
  }
  return { ok: true, value: parsed.data };
}

/** First problems of a schema, as one sentence of bounded length. */
export function sentence(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  return issues
    .slice(0, 3)
    .map(({ path, message }) => `${path.map(String).join('.') || 'it'}: ${message}`)
    .join('; ')
    .slice(0, 500);
}

function mediaType(contentType: string | undefined): string | undefined {
  return contentType?.split(';')[0]?.trim().toLowerCase();
}

function parseJson(message: Pick<BusMessage, 'headers' | 'body'>): Decoded<unknown> {
  const unpacked = unpack(message);
  if (!unpacked.ok) return unpacked;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(unpacked.value);
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, reason: 'the body is not JSON in UTF-8' };
  }
}

function unpack(message: Pick<BusMessage, 'headers' | 'body'>): Decoded<Uint8Array> {
  const encoding = message.headers[HEADER_CONTENT_ENCODING];
  if (encoding === undefined) return { ok: true, value: message.body };
  if (encoding !== 'gzip') return { ok: false, reason: `the content encoding ${encoding.slice(0, 40)} is unknown` };
  try {
    return { ok: true, value: gunzipSync(message.body, { maxOutputLength: UNPACKED_BYTES_MAX }) };
  } catch {
    return { ok: false, reason: `the body is not gzip, or unpacks to more than ${UNPACKED_BYTES_MAX} bytes` };
  }
}

// Section "Type System" of the specification: no control characters, no non-characters, no lone surrogates.
const FORBIDDEN_CHARACTERS = /[\p{Cc}\p{Cs}\u{FDD0}-\u{FDEF}\uFFFE\uFFFF]/u;
// RFC 3986: the characters a URI reference is made of.
const URI_REFERENCE = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

function brokenAttribute(event: CloudEvent): string | null {
  for (const name of ['id', 'source', 'type', 'subject', 'traceparent'] as const) {
    const value = event[name];
    if (value !== undefined && FORBIDDEN_CHARACTERS.test(value)) return `${name} holds characters that are not allowed`;
  }
  return URI_REFERENCE.test(event.source) ? null : 'source is not a URI reference';
}
