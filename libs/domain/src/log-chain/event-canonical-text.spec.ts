import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from '@delta-ci/contracts';
import { eventCanonicalText, FIRST_PREV_HASH } from './event-canonical-text.ts';

const EVENT: RecordedEvent = {
  hash: 'f'.repeat(64),
  id: '01890000-0000-7000-8000-000000000000',
  position: 1,
  stream: 'run-x',
  version: 1,
  schemaVersion: 1,
  time: '2026-01-01T00:00:00.000Z',
  actor: { name: 'orchestrator', kind: 'service' },
  correlation: null,
  causation: 'c1',
  traceparent: null,
  prevHash: FIRST_PREV_HASH,
  type: 'run.planning-failed',
  data: { message: 'no \u20ac', code: 'x', inputsDigest: null },
};

describe('the text of an event that is hashed', () => {
  it('is its canonical JSON without its hash and the one before', () => {
    expect(eventCanonicalText(EVENT)).toBe(
      '{"actor":{"kind":"service","name":"orchestrator"},"causation":"c1","correlation":null,' +
        '"data":{"code":"x","inputsDigest":null,"message":"no €"},"id":"01890000-0000-7000-8000-000000000000","position":1,' +
        '"schemaVersion":1,"stream":"run-x","time":"2026-01-01T00:00:00.000Z",' +
        '"traceparent":null,"type":"run.planning-failed","version":1}',
    );
  });

  it('does not depend on hashes, the order of members or other members', () => {
    const shuffled = {
      ...Object.fromEntries(Object.entries(EVENT).reverse()),
      ...EVENT,
      hash: '',
      prevHash: '',
      fetchedAt: 5,
    };
    expect(eventCanonicalText(shuffled)).toBe(eventCanonicalText(EVENT));
  });

  it.each([
    ['position', { position: 2 }],
    ['time', { time: '2026-01-01T00:00:00.001Z' }],
    ['actor', { actor: { ...EVENT.actor, name: 'mallory' } }],
    ['type', { type: 'run.reported' }],
    ['version', { version: 2 }],
    ['causation', { causation: 'c2' }],
    ['traceparent', { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }],
    ['data', { data: { code: 'y', message: '' } }],
  ])('changes with %s', (_, part) => {
    expect(eventCanonicalText({ ...EVENT, ...part } as RecordedEvent)).not.toBe(eventCanonicalText(EVENT));
  });

  it('does not exist for what has no canonical form', () => {
    const data = { code: 'x', message: 'lone \ud800', inputsDigest: null };
    expect(() => eventCanonicalText({ ...EVENT, type: 'run.planning-failed', data })).toThrow(TypeError);
  });
});
