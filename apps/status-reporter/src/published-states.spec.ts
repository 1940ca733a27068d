import { describe, expect, it } from '@jest/globals';
import type { RunView } from '@delta-ci/contracts';
import { PublishedStates, type PublishedState } from './published-states.ts';

const RUN = `run_${'1'.repeat(32)}`;
const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const state = (viewPosition: number, digit: string): PublishedState => ({
  target: 'check:delta-ci',
  externalId: '7',
  digest: digestOf(digit),
  status: 'published',
  viewPosition,
});
const view = (...publications: PublishedState[]): Pick<RunView, 'runId' | 'publications'> => ({
  runId: RUN,
  publications: publications.map((published) => ({ ...published, final: null })),
});

describe('what is known to stand at the forge', () => {
  it('given a publication that the view does not show yet, then memory knows it', () => {
    const states = new PublishedStates();
    states.remember(RUN, state(5, 'a'));
    expect(states.of(view()).get('check:delta-ci')).toEqual(state(5, 'a'));
    expect(states.of(view(state(3, 'b'))).get('check:delta-ci')).toEqual(state(5, 'a'));
  });

  it('given a view that shows a newer publication, then the view holds', () => {
    const states = new PublishedStates();
    states.remember(RUN, state(5, 'a'));
    expect(states.of(view(state(9, 'b'))).get('check:delta-ci')).toMatchObject({
      viewPosition: 9,
      digest: digestOf('b'),
    });
  });

  it('given another run, then nothing is known of it', () => {
    const states = new PublishedStates();
    states.remember(`run_${'2'.repeat(32)}`, state(5, 'a'));
    expect(states.of(view()).size).toBe(0);
  });
});
