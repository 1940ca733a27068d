import { describe, expect, it } from '@jest/globals';
import { canonicalJson, UPCASTS, type Json, type RecordedEvent } from '@delta-ci/contracts';
import { FIRST_PREV_HASH, redecideRun, redecideScaling } from '@delta-ci/domain';
import { chainHash } from '@delta-ci/event-log';
import { eventsOf, readHistory, readViews, RELEASES, viewsOf } from './history.ts';

/** Logs of real runs as they were written, one for each set of schema versions: what they say must never change. */
describe.each(RELEASES)('the history %s', (release) => {
  const history = readHistory(release);
  const events = eventsOf(history);

  it('is whole: every record continues the hash of the one before', () => {
    let before = FIRST_PREV_HASH;
    for (const { prevHash, hash, ...record } of history.records) {
      expect(prevHash).toBe(before);
      expect(hash).toBe(chainHash(before, canonicalJson(record as Json)));
      before = hash;
    }
  });

  it('folds to the rows it was recorded with', () => {
    const recorded = readViews(release);
    expect(viewsOf(events, (table) => recorded.tables[table]?.columns)).toEqual(recorded);
  });

  it('is decided again as it was, run by run', () => {
    const runs = Map.groupBy(
      events.filter(({ stream }) => stream.startsWith('run-')),
      ({ stream }) => stream,
    );
    expect(runs.size).toBeGreaterThan(8);
    for (const [stream, ofRun] of runs) {
      const { departure } = redecideRun(ofRun.map(decided));
      expect({ stream, departure }).toEqual({ stream, departure: null });
    }
  });

  it('holds no scaling decision that would be another one today', () => {
    const differences = events.flatMap((event) =>
      event.type === 'scaling.decided' ? [redecideScaling(event.data)] : [],
    );
    expect(differences.filter((difference) => difference !== null && difference !== 'not-recorded')).toEqual([]);
  });
});

describe('the histories together', () => {
  it('hold a record for every upcast there is', () => {
    const seen = new Set(
      RELEASES.flatMap((release) =>
        readHistory(release).records.map((record) => `${String(record['type'])} ${String(record['schemaVersion'])}`),
      ),
    );
    const wanted = Object.entries(UPCASTS).flatMap(([type, steps]) =>
      Object.keys(steps).map((version) => `${type} ${version}`),
    );
    expect(wanted.filter((one) => !seen.has(one))).toEqual(NEVER_RECORDED);
  });

  it('given a record of a release that is still to come, when it is read, then it is refused by name', () => {
    const [release = ''] = RELEASES;
    const records = readHistory(release).records.map((record) =>
      record['type'] === 'run.finished' ? { ...record, schemaVersion: 40 } : record,
    );
    expect(() => eventsOf({ release, records })).toThrow('run.finished is recorded in schema version 40');
  });
});

/** Versions that were over before the stories came to tell of such an event. Nothing may be added here. */
const NEVER_RECORDED: readonly string[] = ['delivery.ignored 1'];

const decided = (event: RecordedEvent) => ({ event, atMs: Date.parse(event.time), actor: event.actor });
