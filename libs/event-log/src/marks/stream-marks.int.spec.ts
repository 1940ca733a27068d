import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { StreamMarks } from './stream-marks.ts';

describe('marks of streams', () => {
  let log: FreshLog;
  beforeAll(async () => {
    log = await freshLog();
  });
  afterAll(async () => log.drop());

  it('are found by whoever comes next, as they were written last', async () => {
    const marks = new StreamMarks(log.orchestrator);
    expect(await marks.read()).toEqual(new Map());
    await marks.write(
      new Map([
        ['REPORTS', { sequence: 3, storedAt: '2026-01-01T00:00:00.000000001Z' }],
        ['DISPATCH', { sequence: 0, storedAt: null }],
      ]),
    );
    await marks.write(new Map([['REPORTS', { sequence: 2, storedAt: null }]]));
    expect(await new StreamMarks(log.orchestrator).read()).toEqual(
      new Map([
        ['DISPATCH', { sequence: 0, storedAt: null }],
        ['REPORTS', { sequence: 2, storedAt: null }],
      ]),
    );
  });
});
