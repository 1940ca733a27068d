import {
  stepFailed,
  type CompletionReport,
  type Confidence,
  type FailureClass,
  type StepResult,
} from '@delta-ci/contracts';

/** What the report alone says about a failure, before any line of the log is looked at. */
export interface ReportFact {
  readonly rule: string;
  readonly class: FailureClass;
  readonly category: string;
  readonly confidence: Confidence;
  readonly headline: string;
  readonly explanation: string;
  readonly nextStep: string;
  /** The log may say what stands behind it (which command, which test); whose fault it is stays. */
  readonly decides: 'all' | 'class' | 'nothing';
}

/** The step an attempt failed at, or null when the report names none. */
export function failedStepOf(report: CompletionReport | null): StepResult | null {
  return report?.steps.find(stepFailed) ?? null;
}

/** The failed step, if no byte of the log is its own. A runner that gives no ranges at all, or a log that was cut, does not say. */
export function silentStepOf(report: CompletionReport | null): StepResult | null {
  const step = failedStepOf(report);
  if (step === null || report?.logTruncated !== false) return null;
  return step.logRange.from === step.logRange.to && step.logRange.to > 0 ? step : null;
}

export function exitCodeOf(report: CompletionReport | null): number | null {
  return failedStepOf(report)?.exitCode ?? report?.exitCode ?? null;
}

export function signalOf(report: CompletionReport | null): string | null {
  return failedStepOf(report)?.signal ?? report?.signal ?? null;
}

interface ReportRule extends ReportFact {
  readonly applies: (given: { report: CompletionReport | null; outcome: string }) => boolean;
}

const inSteps = (report: CompletionReport | null, what: (step: StepResult) => boolean): boolean =>
  report?.steps.some(what) ?? false;

/** 128 and the number of SIGKILL. */
const KILLED_CHILD = 137;

const UNRECOGNISED_HEADLINE = 'The job failed, and nothing in its log says why in a way that is recognised';
const UNRECOGNISED_NEXT = 'Read the end of the log, then what comes before it.';

/** In order; the first that applies counts. The classes are those the domain decides retries by. */
const RULES: readonly ReportRule[] = [
  {
    rule: 'not-offered',
    applies: ({ report }) => report?.infrastructureError?.code === 'not_offered',
    class: 'tooling',
    category: 'not_offered',
    confidence: 'high',
    headline: 'The job asks for what it is not offered',
    explanation:
      'Nothing of the job ran: what it asks for was settled beforehand, and another attempt would meet the same.',
    nextStep:
      'Have whoever operates it offer what the job asks for, or change in delta.yaml what it asks for; then run it again.',
    decides: 'all',
  },
  {
    rule: 'infrastructure-error',
    applies: ({ report }) => (report?.infrastructureError ?? null) !== null,
    class: 'infrastructure',
    category: 'runner',
    confidence: 'high',
    headline: 'The runner could not do the job',
    explanation: 'The runner could not give the job what it needs, so this says nothing about the change.',
    nextStep: 'Run it again; if it comes back, look at the runner.',
    decides: 'all',
  },
  {
    rule: 'lost',
    applies: ({ report, outcome }) => outcome === 'lost' || (report === null && outcome !== 'timed_out'),
    class: 'infrastructure',
    category: 'runner-lost',
    confidence: 'high',
    headline: 'The runner was lost while it worked on the job',
    explanation: 'The runner fell silent or went away before it could report, so this says nothing about the change.',
    nextStep: 'Nothing, if another attempt follows; otherwise run it again and look at the runner.',
    decides: 'all',
  },
  {
    rule: 'silent-too-long',
    applies: ({ report }) => inSteps(report, ({ endedBy }) => endedBy === 'idle_timeout'),
    class: 'unknown',
    category: 'silence',
    confidence: 'medium',
    headline: 'A step printed nothing for longer than it may',
    explanation:
      'The step was stopped because nothing came from it for too long: mostly it waits for what never comes.',
    nextStep:
      'Look at the last line of the log: what comes after it hung. If the step is just quiet, have it report progress, or raise idle_timeout_seconds under policy: of the job in delta.yaml.',
    decides: 'all',
  },
  {
    rule: 'timed-out',
    applies: ({ report, outcome }) => outcome === 'timed_out' || inSteps(report, ({ timedOut }) => timedOut),
    class: 'unknown',
    category: 'timeout',
    confidence: 'medium',
    headline: 'The job ran out of time',
    explanation: 'The job was stopped because its time was over; it does not say whether it hung or was merely slow.',
    nextStep:
      'Look at the last lines of the log: they show what it was busy with when it was stopped. If it is just slow, raise timeout_seconds under policy: of the job in delta.yaml.',
    decides: 'all',
  },
  {
    rule: 'over-memory-limit',
    applies: ({ report }) => inSteps(report, ({ oomKilled }) => oomKilled),
    class: 'user',
    category: 'out-of-memory',
    confidence: 'high',
    headline: 'The job needed more memory than it may use',
    explanation: 'A process of the step was killed because the job reached its memory limit.',
    nextStep:
      'Look for what keeps growing; if the work is just large, run less of it at once, or raise memory under limits: of delta.yaml.',
    decides: 'all',
  },
  {
    rule: 'over-disk-limit',
    applies: ({ report }) => inSteps(report, ({ endedBy }) => endedBy === 'disk_full'),
    class: 'user',
    category: 'disk-full',
    confidence: 'high',
    headline: 'The job filled the disk it may use',
    explanation:
      'The step ended because workspace and home together reached the limit of the job for bytes or for files.',
    nextStep:
      'Look for what grows: build outputs, caches, core files. If the work is just large, raise disk under limits: of delta.yaml.',
    decides: 'all',
  },
  {
    rule: 'command-not-runnable',
    applies: ({ report }) => [126, 127].includes(exitCodeOf(report) ?? 0),
    class: 'tooling',
    category: 'command-not-found',
    confidence: 'high',
    headline: 'A command could not be found or executed',
    explanation: 'The exit code is what a shell answers for a command that is not there or may not be executed.',
    nextStep: 'Check that the tool is installed by a step before, and that scripts are committed as executable.',
    decides: 'class',
  },
  {
    rule: 'killed-from-outside',
    applies: ({ report }) => signalOf(report) === 'SIGKILL',
    class: 'infrastructure',
    category: 'killed',
    confidence: 'medium',
    headline: 'The step was killed from outside',
    explanation: 'The step got SIGKILL, which a program does not send itself: often the host was short of memory.',
    nextStep: 'Run it again; if it comes back, compare the memory the job uses with what the host has.',
    decides: 'class',
  },
  {
    rule: 'killed-inside',
    applies: ({ report }) => exitCodeOf(report) === KILLED_CHILD,
    class: 'user',
    category: 'out-of-memory',
    confidence: 'medium',
    headline: 'Something the step started was killed, most likely for its memory',
    explanation:
      'Exit code 137 is how a shell tells that its command got SIGKILL; inside a job that is mostly the memory limit.',
    nextStep:
      'Compare the peak of memory with the limit of the job (memory under limits: of delta.yaml); look for what keeps growing.',
    decides: 'class',
  },
  {
    rule: 'crashed',
    applies: ({ report }) => signalOf(report) !== null,
    class: 'user',
    category: 'crash',
    confidence: 'medium',
    headline: 'The step crashed',
    explanation: 'The step did not exit by itself: a signal ended it.',
    nextStep: 'Look at the last lines of the log, and at native code the step uses.',
    decides: 'class',
  },
  {
    rule: 'exit-code',
    applies: ({ report }) => (exitCodeOf(report) ?? 0) !== 0,
    class: 'user',
    category: 'exit-code',
    confidence: 'low',
    headline: UNRECOGNISED_HEADLINE,
    explanation:
      'No rule recognised a cause in the log. The step itself said that it failed, so the failure counts as that of what is tested.',
    nextStep: UNRECOGNISED_NEXT,
    decides: 'nothing',
  },
];

const UNRECOGNISED: ReportFact = {
  rule: 'nothing-recognised',
  class: 'unknown',
  category: 'unknown',
  confidence: 'low',
  headline: UNRECOGNISED_HEADLINE,
  explanation: 'No rule recognised a cause in the log, so none is claimed.',
  nextStep: UNRECOGNISED_NEXT,
  decides: 'nothing',
};

/** The fact the report states. Always one: at the least, that nothing was recognised. */
export function reportFact(report: CompletionReport | null, outcome: string): ReportFact {
  return RULES.find(({ applies }) => applies({ report, outcome })) ?? UNRECOGNISED;
}
