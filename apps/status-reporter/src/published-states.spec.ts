import { describe, expect, it } from '@jest/globals';
import type { RunView } from '@delta-ci/contracts';
import { PublishedStates, type PublicationRecord, type PublishedState } from './published-states.ts';

const RUN = `run_${'1'.repeat(32)}`;
const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const state = (viewPosition: number, digit: string): PublishedState => ({
  target: 'check:delta-ci',
  externalId: '7',
  digest: digestOf(digit),
  status: 'published',
  viewPosition,
});
const record = (of: PublishedState, final: PublicationRecord['final'] = null): PublicationRecord => ({
  ...of,
  status: 'published',
  detail: '',
  final,
});
const view = (...publications: PublishedState[]): Pick<RunView, 'runId' | 'publications'> => ({
  runId: RUN,
  publications: publications.map((published) => ({ ...published, final: null })),
});

describe('what is known to stand at the forge', () => {
  it('given a publication that the view does not show yet, then memory knows it', () => {
    const states = new PublishedStates();
    states.remember(RUN, record(state(5, 'a')), 0);
    expect(states.of(view()).get('check:delta-ci')).toEqual(state(5, 'a'));
    expect(states.of(view(state(3, 'b'))).get('check:delta-ci')).toEqual(state(5, 'a'));
  });

  it('given a view that shows a newer publication, then the view holds', () => {
    const states = new PublishedStates();
    states.remember(RUN, record(state(5, 'a')), 0);
    expect(states.of(view(state(9, 'b'))).get('check:delta-ci')).toMatchObject({
      viewPosition: 9,
      digest: digestOf('b'),
    });
  });

  it('given another run, then nothing is known of it', () => {
    const states = new PublishedStates();
    states.remember(`run_${'2'.repeat(32)}`, record(state(5, 'a')), 0);
    expect(states.of(view()).size).toBe(0);
  });

  it('given a report that no view shows, then it is to be sent again after a minute, and from then on each minute', () => {
    const states = new PublishedStates();
    const sent = record(state(5, 'a'));
    states.remember(RUN, sent, 1_000);
    expect(states.unshown(view(), 60_999)).toEqual([]);
    expect(states.unshown(view(state(3, 'b')), 61_000)).toEqual([sent]);
    states.remember(RUN, sent, 61_000);
    expect(states.unshown(view(), 120_999)).toEqual([]);
    expect(states.unshown(view(), 121_000)).toEqual([sent]);
  });

  it('given a view that shows it, or something newer, then it is not sent again', () => {
    const states = new PublishedStates();
    states.remember(RUN, record(state(5, 'a')), 0);
    expect(states.unshown(view(state(5, 'a')), 90_000)).toEqual([]);
    expect(states.unshown(view(state(6, 'b')), 90_000)).toEqual([]);
  });

  it('given an end that is shown, but not as final, then it is sent again', () => {
    const states = new PublishedStates();
    const sent = record(state(5, 'a'), 'succeeded');
    states.remember(RUN, sent, 0);
    expect(states.unshown(view(state(5, 'a')), 90_000)).toEqual([sent]);
  });
});
