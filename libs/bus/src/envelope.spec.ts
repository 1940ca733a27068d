import { describe, expect, it } from '@jest/globals';
import { CLOUD_EVENT_CONTENT_TYPE } from '@delta-ci/contracts';
import { gzipSync } from 'node:zlib';
import type { BusHeaders } from './bus.ts';
import { TRACE } from './contract/samples.fixture.ts';
import { decodeCloudEvent, encodeCloudEvent } from './envelope.ts';

const valid = {
  specversion: '1.0',
  id: 'e-1',
  source: '/delta-ci/log',
  type: 'ci.delta.run.created',
  subject: 'run-1',
  time: '2026-01-02T03:04:05.678Z',
  datacontenttype: 'application/json',
  data: { any: 'thing' },
};

const HEADERS = { 'content-type': CLOUD_EVENT_CONTENT_TYPE };
const decode = (event: unknown, headers: BusHeaders = HEADERS) =>
  decodeCloudEvent({ headers, body: Buffer.from(JSON.stringify(event)) });
const without = (name: string): object => Object.fromEntries(Object.entries(valid).filter(([key]) => key !== name));

describe('CloudEvents in', () => {
  it('given a valid event, when read, then it is as it was', () => {
    expect(decode(valid)).toEqual({ ok: true, value: valid });
    expect(decode({ ...valid, traceparent: TRACE })).toMatchObject({ ok: true });
  });

  it('given a content type with parameters and capitals, when read, then it counts', () => {
    const headers = { 'content-type': 'Application/CloudEvents+JSON; charset=UTF-8' };
    expect(decode(valid, headers)).toMatchObject({ ok: true });
  });

  it.each([
    ['no specversion', without('specversion')],
    ['another specversion', { ...valid, specversion: '0.3' }],
    ['a specversion that is a number', { ...valid, specversion: 1 }],
    ['no id', without('id')],
    ['an empty id', { ...valid, id: '' }],
    ['an id that is a number', { ...valid, id: 7 }],
    ['an id of null', { ...valid, id: null }],
    ['no source', without('source')],
    ['an empty source', { ...valid, source: '' }],
    ['a source that is no URI reference', { ...valid, source: 'two words' }],
    ['a source with half an escape', { ...valid, source: '/a%2' }],
    ['no type', without('type')],
    ['an empty type', { ...valid, type: '' }],
    ['an empty subject', { ...valid, subject: '' }],
    ['a time without a zone', { ...valid, time: '2026-01-02T03:04:05' }],
    ['a time that is a number', { ...valid, time: 1_767_323_045 }],
    ['a day that does not exist', { ...valid, time: '2026-02-30T03:04:05Z' }],
    ['an empty datacontenttype', { ...valid, datacontenttype: '' }],
    ['data of another media type', { ...valid, datacontenttype: 'text/plain' }],
    ['data and data_base64', { ...valid, data_base64: 'AAAA' }],
    ['an extension in capitals', { ...valid, traceParent: TRACE }],
    ['an extension with an underscore', { ...valid, trace_id: 'x' }],
    ['an extension that is an object', { ...valid, extra: { a: 1 } }],
    ['an extension nobody agreed on', { ...valid, extra: 'x' }],
    ['a control character in an attribute', { ...valid, id: 'a\u0007b' }],
    ['a C1 control character in an attribute', { ...valid, type: 'a\u0085b' }],
    ['a lone surrogate in an attribute', { ...valid, id: 'a\ud800b' }],
    ['a non-character in an attribute', { ...valid, subject: 'a\ufffeb' }],
    ['an array', [valid]],
    ['null', null],
    ['a string', 'event'],
  ])('given %s, when read, then it is refused with a reason', (_what, event) => {
    expect(decode(event)).toEqual({ ok: false, reason: expect.stringMatching(/^not a CloudEvent: \S/) });
  });

  it.each([
    ['no content type', {}],
    ['plain JSON', { 'content-type': 'application/json' }],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }],
    ['an unknown encoding', { ...HEADERS, 'content-encoding': 'br' }],
    ['gzip that is none', { ...HEADERS, 'content-encoding': 'gzip' }],
  ])('given %s, when read, then it is refused', (_what, headers) => {
    expect(decode(valid, headers)).toMatchObject({ ok: false });
  });

  it('given bytes that are no UTF-8 or no JSON, when read, then they are refused', () => {
    for (const body of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from('{"a":'), Buffer.alloc(0)]) {
      expect(decodeCloudEvent({ headers: HEADERS, body })).toMatchObject({ ok: false, reason: expect.any(String) });
    }
  });

  it('given a small body that unpacks to a huge one, when read, then it is refused', () => {
    const body = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    const headers = { ...HEADERS, 'content-encoding': 'gzip' };
    expect(decodeCloudEvent({ headers, body })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('unpacks'),
    });
  });

  it('given a trace header that says something else than the attribute, when read, then it is refused', () => {
    expect(decode(valid, { ...HEADERS, traceparent: TRACE })).toMatchObject({ ok: false });
    expect(decode({ ...valid, traceparent: TRACE }, { ...HEADERS, traceparent: TRACE })).toMatchObject({ ok: true });
  });
});

describe('CloudEvents out', () => {
  const { specversion: _version, datacontenttype: _type, ...event } = valid;

  it('given an event with a trace, when written, then header and attribute carry it, and it reads as it was', () => {
    const message = encodeCloudEvent(event, TRACE, { 'x-extra': 'kept' });
    expect(message.headers).toEqual({ ...HEADERS, traceparent: TRACE, 'x-extra': 'kept' });
    expect(decodeCloudEvent(message)).toEqual({ ok: true, value: { ...valid, traceparent: TRACE } });
  });

  it('given a large event, when written, then it is compressed, and it reads as it was', () => {
    const data = Array.from({ length: 20_000 }, (_, number) => ({ key: `job-${number}`, needs: ['install'] }));
    const message = encodeCloudEvent({ ...event, data }, null);
    expect(message.headers['content-encoding']).toBe('gzip');
    expect(message.body.byteLength).toBeLessThan(JSON.stringify(data).length / 5);
    expect(decodeCloudEvent(message)).toEqual({ ok: true, value: { ...valid, data } });
  });
});
