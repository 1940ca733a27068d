import { describe, expect, it } from '@jest/globals';
import { recorded } from '../recorded-surroundings.fixture.ts';
import type { PlannedAgain } from '../log/plan-again.ts';
import { verdictText } from './replay.ts';

const { paint } = recorded('/').surroundings;
const ALL = 'every decision is the one that was recorded';
const SOME = 'every decision that could be made again is the one that was recorded; the others are not judged';
const SAME: PlannedAgain = { verdict: 'same' };

describe('the verdict on a run that was decided again', () => {
  it.each<[string, Record<string, number>, PlannedAgain | null, string]>([
    ['all of it was', {}, SAME, ALL],
    ['it was never planned', {}, null, ALL],
    ['inputs of decisions were not recorded', { 'create-run': 1 }, SAME, SOME],
    ['planning has no store to read from', {}, { verdict: 'not-judged', reason: 'no artifact store' }, SOME],
    ['planning is older than its record', {}, { verdict: 'not-recorded', reason: 'not recorded' }, SOME],
  ])('does not call the same what was not judged: %s', (_what, notRecorded, planning, sentence) => {
    expect(verdictText(paint, { notRecorded, differences: [] }, planning)).toContain(sentence);
  });
});
