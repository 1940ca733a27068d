import type { RunView } from '@delta-ci/contracts';
import type { FakeForge } from '../../../test/support/fake-forge/fake-forge.ts';
import type { CheckRun } from '../../../test/support/fake-forge/github-checks.ts';
import type { Commit } from '../../../test/support/git-server/bare-repository.ts';
import { DEMO_REPOSITORY } from './shop-repository.ts';

/** The check that branch protection would require. */
const GATE = 'delta-ci';

export function checkRunsOf(forge: FakeForge, commit: Commit): CheckRun[] {
  return forge.checkRuns(DEMO_REPOSITORY, commit.after);
}

/** What is missing for "a sound change was planned, run, explained and reported". */
export function problemsOfSoundRun(view: RunView, checks: readonly CheckRun[]): string[] {
  return [
    ...unless(view.outcome === 'succeeded', `the sound change ended ${view.outcome ?? view.state}: ${view.reason}`),
    ...unless(
      units(view).join() === 'cart,money',
      `jobs ran for ${units(view).join() || 'nothing'} instead of cart and money`,
    ),
    ...unless(
      view.skipped.some(({ unit, sentence }) => unit?.includes('greeting') && sentence !== ''),
      'nothing explains why greeting was skipped',
    ),
    ...unless(
      view.jobs.every(({ attempts }) => attempts.at(-1)?.report !== null),
      'a job succeeded without a report',
    ),
    ...gateProblems(checks, 'success'),
  ];
}

/** What is missing for "the failure was found, explained and reported". */
export function problemsOfBrokenRun(view: RunView, checks: readonly CheckRun[]): string[] {
  const explanations = view.jobs.flatMap(({ attempts }) => attempts.flatMap(({ explanation }) => explanation ?? []));
  return [
    ...unless(view.outcome === 'failed', `the breaking change ended ${view.outcome ?? view.state}`),
    ...unless(
      view.jobs.some(({ unit, outcome }) => unit?.includes('cart') && outcome === 'failed'),
      'the job of cart did not fail',
    ),
    ...unless(
      explanations.some((found) => found.class === 'user' && found.sentences.length > 0),
      'no explanation blames the change',
    ),
    ...gateProblems(checks, 'failure'),
  ];
}

function units(view: RunView): string[] {
  const names = view.jobs.filter(({ kind }) => kind === 'test').map(({ unit }) => unit?.split('/').at(-1) ?? '');
  return [...new Set(names)].sort();
}

function gateProblems(checks: readonly CheckRun[], conclusion: string): string[] {
  const gate = checks.find(({ name }) => name === GATE);
  if (gate === undefined) return [`the forge shows no check ${GATE}`];
  return unless(
    gate.conclusion === conclusion,
    `the forge shows ${GATE} as ${gate.conclusion ?? gate.status}, not ${conclusion}`,
  );
}

function unless(holds: boolean, problem: string): string[] {
  return holds ? [] : [problem];
}
