import { describe, expect, it } from '@jest/globals';
import {
  acknowledgeLease,
  ARTIFACT,
  cancelRun,
  completeAttempt,
  createRun,
  explain,
  EXPLANATION,
  FAILURE,
  grantLease,
  job,
  publish,
  recordArtifact,
  recordPlan,
} from './a-run.fixture.ts';
import { ARTIFACTS_PER_ATTEMPT_MAX } from './annotations.ts';
import { given, story, type Step } from './given.fixture.ts';

const planned: Step[] = [createRun(), recordPlan([job('a')])];
const working: Step[] = [...planned, grantLease('a'), acknowledgeLease('a')];
const failed: Step[] = [...working, completeAttempt('a', FAILURE)];
const OTHER_CONTENT = { ...ARTIFACT, digest: `sha256:${'f'.repeat(64)}` };

describe('an artifact', () => {
  it('is recorded for the attempt that made it', () => {
    given(story(...working))
      .when(recordArtifact('a'))
      .thenEvents({ type: 'artifact.recorded', data: { jobKey: 'a', attempt: 1, artifact: ARTIFACT } });
  });

  it('is recorded while a cancel is under way: what there is of it is kept', () => {
    given(story(...working, cancelRun))
      .when(recordArtifact('a'))
      .thenTypes('artifact.recorded');
  });

  it('never changes: the same again is a repeat, other content a conflict', () => {
    const recorded = story(...working, recordArtifact('a'));
    given(recorded).when(recordArtifact('a')).thenNothing();
    given(recorded).when(recordArtifact('a', OTHER_CONTENT)).thenRefused('conflicting_repeat');
  });

  it('needs an acknowledged lease', () => {
    given(story(...planned, grantLease('a')))
      .when(recordArtifact('a'))
      .thenRefused('invalid_transition');
    given(story(...planned, grantLease('a'), cancelRun))
      .when(recordArtifact('a'))
      .thenRefused('invalid_transition');
  });

  it('is refused when its attempt is over', () => {
    given(story(...failed))
      .when(recordArtifact('a'))
      .thenRefused('stale_lease', {}, { type: 'lease.stale-report-refused' });
  });

  it('is one of a bounded number', () => {
    const many = Array.from({ length: ARTIFACTS_PER_ATTEMPT_MAX }, (_, n) =>
      recordArtifact('a', { ...ARTIFACT, name: `report-${n}.xml` }),
    );
    given(story(...working, ...many))
      .when(recordArtifact('a'))
      .thenRefused('payload_too_large');
  });
});

describe('an explanation', () => {
  it('may come after the run finished', () => {
    given(story(...failed))
      .when(explain('a'))
      .thenEvents({ type: 'failure.explained', data: { jobKey: 'a', attempt: 1, explanation: EXPLANATION } });
  });

  it.each<[string, Step[], ReturnType<typeof explain>]>([
    ['a job that was not planned', failed, explain('nothing')],
    ['an attempt that was not made', failed, explain('a', 2)],
    ['a run without a plan', [createRun()], explain('a')],
  ])('of %s is refused', (_, steps, command) => {
    given(story(...steps))
      .when(command)
      .thenRefused('not_found');
  });

  it('needs a failure', () => {
    given(story(...working))
      .when(explain('a'))
      .thenRefused('invalid_transition', { state: 'starting' });
    given(story(...working, completeAttempt('a')))
      .when(explain('a'))
      .thenRefused('invalid_transition', { state: 'succeeded' });
  });
});

describe('a publication', () => {
  it('is recorded at any time', () => {
    given(story(createRun()))
      .when(publish(null))
      .thenEvents({ type: 'publication.recorded', data: publish(null).data });
  });

  it('of the final state makes the run reported, once', () => {
    given(story(...failed))
      .when(publish('failed'))
      .thenTypes('publication.recorded', 'run.reported');
    given(story(...failed, publish('failed')))
      .when(publish('failed'))
      .thenTypes('publication.recorded');
    expect(given(story(...failed)).when(publish('failed')).run).toMatchObject({ reported: true, outcome: 'failed' });
  });

  it.each([
    ['shows another outcome', publish('succeeded')],
    ['shows no final state', publish(null)],
    ['was refused by the forge', publish('failed', 'refused')],
    ['was given up', publish('failed', 'gave-up')],
  ])('that %s does not', (_, command) => {
    given(story(...failed))
      .when(command)
      .thenTypes('publication.recorded');
  });

  it('of a run that is not over does not', () => {
    given(story(...working))
      .when(publish('failed'))
      .thenTypes('publication.recorded');
  });
});
