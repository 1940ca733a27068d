import type { CompletionReport, JobPolicy, JobStep } from '@delta-ci/contracts';
import { madeLease, say } from '../made-lease.ts';
import type { RunnerRequirement } from '../requirements.ts';
import type { Scene } from '../stage.ts';

interface Ends {
  readonly name: string;
  readonly judges: RunnerRequirement;
  readonly steps: readonly (string | Partial<JobStep>)[];
  readonly policy?: Partial<JobPolicy>;
  readonly expected: string;
  readonly holds: (report: CompletionReport, log: string) => boolean;
}

const NEVER = say('never-printed');
const wasPrinted = (log: string): boolean => log.includes('never-printed\n');

/** Jobs that end in one way or another, each with what has to be reported of it. */
const ENDINGS: readonly Ends[] = [
  {
    name: 'a job whose step fails',
    judges: 'runs-in-order',
    steps: ['true', `sh -c 'exit 7'; ${NEVER}`, NEVER],
    expected: 'failed with exit code 7, two steps that ran, and nothing that comes behind the failure',
    holds: ({ outcome, exitCode, steps }, log) =>
      outcome === 'failed' && exitCode === 7 && codesOf(steps) === '0,7' && !wasPrinted(log),
  },
  {
    name: 'a job with independent steps',
    judges: 'independent-steps',
    steps: [
      'true',
      { run: 'exit 3', independent: true },
      { run: 'exit 4', independent: true },
      { run: say('third-printed'), independent: true },
      NEVER,
    ],
    expected:
      'failed with exit code 3, and four steps that ended with 0, 3, 4 and 0; the one that is not independent does not run',
    holds: ({ outcome, exitCode, steps }, log) =>
      outcome === 'failed' && exitCode === 3 && codesOf(steps) === '0,3,4,0' && log.includes('third-printed\n'),
  },
  {
    name: 'a step that dies of a signal',
    judges: 'reports-signal',
    steps: ['kill -9 $$', NEVER],
    expected:
      'failed, and a step with the signal SIGKILL, whose exit code is 137 (128 and the signal’s number) or null',
    holds: ({ outcome, steps: [step] }, log) =>
      outcome === 'failed' &&
      step?.signal === 'SIGKILL' &&
      (step.exitCode === null || step.exitCode === 137) &&
      !wasPrinted(log),
  },
  {
    name: 'a job that uses up its time',
    judges: 'stops-in-time',
    policy: { timeoutMs: 2_000 },
    steps: [`echo started; trap '' TERM; sleep 300; ${NEVER}`],
    expected: 'timed_out, with a step that timedOut, soon after the two seconds it may take',
    holds: ({ outcome, steps }, log) => outcome === 'timed_out' && steps[0]?.timedOut === true && !wasPrinted(log),
  },
  {
    name: 'a step that prints nothing',
    judges: 'stops-when-idle',
    policy: { idleTimeoutMs: 1_500 },
    steps: [`echo started; sleep 300; ${NEVER}`],
    expected: 'timed_out, with a step that timedOut, soon after a second and a half without output',
    holds: ({ outcome, steps }, log) => outcome === 'timed_out' && steps[0]?.timedOut === true && !wasPrinted(log),
  },
];

export const endings: readonly Scene[] = ENDINGS.map(({ name, judges, steps, policy = {}, expected, holds }) => ({
  name,
  judges: [judges],
  lease: (source) => madeLease(source, steps, { policy }),
  play: async (stage) => {
    const report = await stage.report();
    const log = stage.gateway.book.log().toString();
    const seen =
      report === null ? `no report; ${stage.state()}` : `${reportText(report)}; the log ends with: ${log.slice(-500)}`;
    stage.judge(judges, report !== null && holds(report, log), expected, seen, stage.reports());
  },
}));

const codesOf = (steps: CompletionReport['steps']): string => steps.map(({ exitCode }) => String(exitCode)).join(',');

/** What of a report says how a job ended. */
export function reportText({ outcome, exitCode, signal, steps, infrastructureError }: CompletionReport): string {
  const told = steps.map(({ name, exitCode: code, signal: by, timedOut }) => ({
    name,
    exitCode: code,
    signal: by,
    timedOut,
  }));
  return JSON.stringify({ outcome, exitCode, signal, steps: told, infrastructureError });
}
