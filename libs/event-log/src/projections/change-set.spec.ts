import { describe, expect, it } from '@jest/globals';
import { digestOf, runIdOf } from '../testing/run-story.fixture.ts';
import { ChangeSet } from './change-set.ts';
import { jsonRows } from './json-rows.ts';
import { patch, put, type RowChange } from './row-change.ts';

describe('changes of a batch', () => {
  const run_id = runIdOf('a');
  const attempt = { run_id, job_key: 'unit', attempt: 1 };
  const lease = { run_id, job_key: 'unit', fence: 1 };
  const publication = (view_position: number) =>
    put('publication', {
      run_id,
      target: 'check',
      external_id: '',
      view_position,
      digest: digestOf('p'),
      status: 'published',
      detail: '',
      final: null,
      published_at_ms: 1,
    });
  const together = (...changes: RowChange[]) => {
    const set = new ChangeSet();
    for (const change of changes) set.add(change);
    return set.tables();
  };

  it('of one row become one change', () => {
    const [attempts] = together(
      patch('attempt', attempt, { state: 'leased', waiting: false }),
      patch('attempt', attempt, { state: 'starting', started_at_ms: 5 }),
    );
    expect(attempts).toEqual({
      table: 'attempt',
      puts: [],
      patches: [{ ...attempt, state: 'starting', waiting: false, started_at_ms: 5 }],
    });
  });

  it('never move a state back, and leave the first ending of a lease as it is', () => {
    const [attempts, leases] = together(
      patch('attempt', attempt, { state: 'canceling' }),
      patch('attempt', attempt, { state: 'starting' }),
      patch('lease', lease, { state: 'expired' }),
      patch('lease', lease, { state: 'completed' }),
    );
    expect(attempts?.patches).toEqual([{ ...attempt, state: 'canceling' }]);
    expect(leases?.patches).toEqual([{ ...lease, state: 'expired' }]);
  });

  it('keep the newest view that was published', () => {
    const [publications] = together(publication(9), publication(4), publication(11), publication(10));
    expect(publications?.puts).toMatchObject([{ view_position: 11 }]);
  });

  it('fill a repository from whoever knows what', () => {
    const [repositories] = together(
      put('repository', { repository_id: 'r', repository: { id: 'r' }, policy: null }),
      put('repository', { repository_id: 'r', repository: null, policy: { failFast: false } }),
    );
    expect(repositories?.puts).toEqual([{ repository_id: 'r', repository: { id: 'r' }, policy: { failFast: false } }]);
  });

  it('refuse a row that is made twice', () => {
    const delivery = { forge: 'github', delivery_id: 'd', event: '', payload_digest: '', run_id: null };
    const made = put('delivery', { ...delivery, ignored: '', accepted_at_ms: 1 });
    expect(() => together(made, made)).toThrow('made twice');
  });

  it('come in the order of their keys, whatever the order of the events', () => {
    const keys = ['c', 'a', 'b'].map((name) =>
      patch('job', { run_id: runIdOf(name), job_key: name }, { reason: name }),
    );
    const [jobs] = together(...keys);
    const ids = jobs?.patches.map((row) => String(row['run_id'])) ?? [];
    expect(ids).toEqual([...ids].sort());
  });
});

describe('rows as JSON', () => {
  it('show a NUL as U+FFFD and leave text that only looks like one', () => {
    expect(JSON.parse(jsonRows([{ text: 'a\0b', deep: { list: ['\0'] } }]))).toEqual([
      { text: 'a\uFFFDb', deep: { list: ['\uFFFD'] } },
    ]);
    expect(JSON.parse(jsonRows([{ text: 'a\\u0000b' }]))).toEqual([{ text: 'a\\u0000b' }]);
  });
});
