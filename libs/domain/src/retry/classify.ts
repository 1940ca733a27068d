import {
  stepFailed,
  type CompletionReport,
  type FailureClass,
  type StepEnding,
  type StepResult,
} from '@delta-ci/contracts';

/** What the rules made of a report: whose fault, and which rule said so. */
export interface Classification {
  readonly class: FailureClass;
  /** Id of the rule, for the reason that is recorded. */
  readonly rule: string;
  readonly because: string;
}

interface Rule {
  readonly id: string;
  readonly class: FailureClass;
  readonly because: string;
  readonly applies: (report: CompletionReport) => boolean;
}

/** POSIX shells answer 126 for a file that cannot be executed and 127 for a command that is not found. */
const SHELL_COULD_NOT_RUN = [126, 127];

/**
 * Whose fault a failure is, as far as deciding about a retry needs it: from facts of the report alone, first match
 * wins, no waiting for the analyzer. Anything the job itself said with an exit code is the user's: compile errors,
 * failing tests and lint look the same again, so they are never tried again.
 */
const RULES: readonly Rule[] = [
  {
    id: 'not-offered',
    class: 'tooling',
    because: 'the job asks for what it is not offered',
    applies: (report) => report.infrastructureError?.code === 'not_offered',
  },
  {
    id: 'infrastructure-error',
    class: 'infrastructure',
    because: 'the runner could not give the job what it needs',
    applies: (report) => report.infrastructureError !== null,
  },
  {
    id: 'stopped-unasked',
    class: 'infrastructure',
    because: 'the runner stopped the job although nobody had asked',
    applies: (report) => report.outcome === 'canceled',
  },
  {
    id: 'silent-too-long',
    class: 'unknown',
    because: 'a step printed nothing for longer than it may',
    applies: (report) => endedBy(report, 'idle_timeout'),
  },
  {
    id: 'timed-out',
    class: 'unknown',
    because: 'the job ran out of time',
    applies: (report) => report.outcome === 'timed_out' || report.steps.some((step) => step.timedOut),
  },
  {
    id: 'over-memory-limit',
    class: 'user',
    because: 'a step needed more memory than the job may use',
    applies: (report) => report.steps.some((step) => step.oomKilled),
  },
  {
    id: 'over-disk-limit',
    class: 'user',
    because: 'a step filled the disk that the job may use',
    applies: (report) => endedBy(report, 'disk_full'),
  },
  {
    id: 'command-not-runnable',
    class: 'tooling',
    because: 'the shell could not find or execute a command',
    applies: (report) => SHELL_COULD_NOT_RUN.includes(exitCodeOf(report) ?? 0),
  },
  {
    id: 'killed-from-outside',
    class: 'infrastructure',
    because: 'a step was killed from outside the job',
    applies: (report) => signalOf(report) === 'SIGKILL',
  },
  {
    id: 'crashed',
    class: 'user',
    because: 'a step ended by a signal',
    applies: (report) => signalOf(report) !== null,
  },
  {
    id: 'exit-code',
    class: 'user',
    because: 'a step exited with a failure',
    applies: (report) => (exitCodeOf(report) ?? 0) !== 0,
  },
];

/** A success that contradicts itself (a failed step, an exit code, an infrastructure error) is none. */
export function reportsSuccess(report: CompletionReport): boolean {
  if (report.outcome !== 'succeeded' || report.infrastructureError !== null) return false;
  if ((report.exitCode ?? 0) !== 0 || report.signal !== null) return false;
  return !report.steps.some(stepFailed);
}

/** The class of a report that is not a success. */
export function classifyFailure(report: CompletionReport): Classification {
  const rule = RULES.find((candidate) => candidate.applies(report));
  if (rule !== undefined) return { class: rule.class, rule: rule.id, because: rule.because };
  return { class: 'unknown', rule: 'nothing-known', because: 'the report does not say what failed' };
}

function exitCodeOf(report: CompletionReport): number | null {
  return failedStepOf(report)?.exitCode ?? report.exitCode;
}

function signalOf(report: CompletionReport): string | null {
  return failedStepOf(report)?.signal ?? report.signal;
}

function failedStepOf(report: CompletionReport): StepResult | undefined {
  return report.steps.find(stepFailed);
}

function endedBy(report: CompletionReport, ending: StepEnding): boolean {
  return report.steps.some((step) => step.endedBy === ending);
}
