import { describe, expect, it } from '@jest/globals';
import { RecordedEnvelope } from '@delta-ci/contracts';
import { newEventId } from './event-id.ts';

describe('an event id', () => {
  it('is a UUID version 7 that begins with its time', () => {
    const atMs = 1_795_205_349_477;
    const ids = Array.from({ length: 2_000 }, () => newEventId(atMs));

    for (const id of ids) expect(RecordedEnvelope.shape.id.safeParse(id).success).toBe(true);
    expect(ids.every((id) => id[14] === '7')).toBe(true);
    expect(ids.every((id) => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) === atMs)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
