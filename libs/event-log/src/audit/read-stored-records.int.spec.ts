import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshLog, type FreshLog } from '../testing/fresh-log.fixture.ts';
import { simpleRun } from '../testing/run-story.fixture.ts';
import { STRETCH } from './read-stored-records.ts';

interface PlanNode {
  'Actual Rows': number;
  Plans?: PlanNode[];
}

const mostRows = (node: PlanNode): number =>
  Math.max(node['Actual Rows'], ...(node.Plans ?? []).map((below) => mostRows(below)));

describe('reading a page of stored records', () => {
  let log: FreshLog;
  beforeAll(async () => {
    log = await freshLog();
    const writer = log.writer();
    for (const name of ['one', 'two', 'three']) {
      for (const submission of simpleRun(name).submissions) await writer.submit(submission);
    }
  });
  afterAll(async () => log.drop());

  it('given a table that the server has never counted, then no step of it reads more rows than the page has', async () => {
    const { rows } = await log.admin.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${STRETCH}`,
      [3, Number.MAX_SAFE_INTEGER, 10],
    );
    const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
    expect(plan === undefined ? 0 : mostRows(plan.Plan)).toBe(10);
  });
});
