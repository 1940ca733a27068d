import { describe, expect, it } from '@jest/globals';
import { EVENT_TYPES, parseRecordedEvent } from './events.ts';
import { UPCASTS, schemaVersionOf, upcast } from './upcasts.ts';

const runId = `run_${'0'.repeat(32)}`;

/** A failed planning as the first release recorded it. */
const FIRST_VERSION = {
  id: '01890000-0000-7000-8000-000000000000',
  position: 3,
  stream: `run-${runId}`,
  version: 3,
  schemaVersion: 1,
  time: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'service' as const, name: 'planner' },
  correlation: runId,
  causation: 'event-1',
  traceparent: null,
  prevHash: '',
  hash: 'x',
  type: 'run.planning-failed' as const,
  data: { code: 'invalid_config', message: 'line 4' },
};

describe('versions of event schemas', () => {
  it('every type has an upcast for each version but its last', () => {
    expect(EVENT_TYPES).toEqual(expect.arrayContaining(Object.keys(UPCASTS)));
    for (const type of EVENT_TYPES) {
      const before = Object.keys(UPCASTS[type] ?? {}).map(Number);
      expect(before).toEqual(before.map((_, index) => index + 1));
      expect(schemaVersionOf(type)).toBe(before.length + 1);
    }
  });

  it('given a record of an older version, when it is read, then it has the current shape and says so', () => {
    const parsed = parseRecordedEvent(FIRST_VERSION);
    expect(parsed.data).toEqual({
      ...FIRST_VERSION,
      schemaVersion: 2,
      data: { ...FIRST_VERSION.data, inputsDigest: null },
    });
  });

  it('given a delivery of the first version, when it is read, then the kind of its forge stands for the name', () => {
    const data = { forge: 'github', deliveryId: 'd', event: 'push', payloadDigest: 'x', reason: 'a tag' };
    const event = { type: 'delivery.ignored', schemaVersion: 1, data };
    expect(upcast(event)).toEqual({ ok: true, event: { ...event, schemaVersion: 2 } });
  });

  it('given a record of the current version, when it is upcast, then it stays the very same', () => {
    const current = { type: 'run.started' as const, schemaVersion: 1, data: {} };
    expect(upcast(current)).toEqual({ ok: true, event: current });
  });

  it('given an older version with a field of the newer one, when it is read, then it is refused as it would be there', () => {
    const odd = { ...FIRST_VERSION, data: { ...FIRST_VERSION.data, colour: 'red' } };
    expect(parseRecordedEvent(odd).success).toBe(false);
  });

  it.each([
    [
      'run.planning-failed',
      3,
      'run.planning-failed is recorded in schema version 3, and this release knows versions 1 to 2',
    ],
    ['run.started', 2, 'run.started is recorded in schema version 2, and this release knows version 1'],
    ['run.started', 0, 'run.started is recorded in schema version 0, and this release knows version 1'],
  ] as const)(
    'given %s in version %d, when it is upcast, then it is refused by name',
    (type, schemaVersion, problem) => {
      expect(upcast({ type, schemaVersion, data: {} })).toEqual({ ok: false, problem });
    },
  );

  it('given a version of tomorrow, when it comes from outside, then the refusal names it', () => {
    const parsed = parseRecordedEvent({ ...FIRST_VERSION, schemaVersion: 9 });
    expect(parsed.error?.issues).toMatchObject([
      { path: ['schemaVersion'], message: expect.stringContaining('schema version 9') as unknown },
    ]);
  });
});
