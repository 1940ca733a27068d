import type { Findings } from './account.ts';
import { exitCodeOf, failedStepOf, signalOf } from './report-facts.ts';
import { cited, sentence, type Sentence } from './sentences.ts';

/** How the failed step ended, when the report says so. */
export function exitSentence({ evidence }: Findings): Sentence[] {
  const { report } = evidence;
  const [step, signal, exitCode] = [failedStepOf(report), signalOf(report), exitCodeOf(report)];
  const who = step === null ? 'The job' : `The step “${step.name}”`;
  if (step?.timedOut === true) {
    const wallMs = step.usage.wallMs;
    return [
      sentence(`${who} was stopped after ${duration(wallMs)}.`, [
        cited(
          'step',
          `${step.endedBy === 'idle_timeout' ? 'silent for too long' : 'timed out'}, wall time ${Math.round(wallMs)} ms`,
        ),
      ]),
    ];
  }
  if (signal !== null) return [sentence(`${who} was ended by ${signal}.`, [cited('signal', signal)])];
  if (exitCode === null || exitCode === 0) return [];
  return [sentence(`${who} ended with exit code ${exitCode}.`, [cited('exit', `exit code ${exitCode}`)])];
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
