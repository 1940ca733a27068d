import type { ChildProcess } from 'node:child_process';
import { CappedOutput, type OutputTotals } from './capped-output.ts';
import type { Launched } from './launch-step.ts';
import { pumpOutput } from './output-pipe.ts';
import type { OutputSink, StepSpec } from './sandbox-executor.ts';
import { typeInto } from './terminal/type-into.ts';
import { StepStopper, watchStep, type StopReason } from './step-stopper.ts';

/** How one tier reaches the processes of its step. `status` is what the program reported so far, if it does. */
export type Containment = {
  terminate(child: ChildProcess, status: string): void;
  kill(child: ChildProcess, status: string): void;
  /** Called when the program is gone: nothing of the step may live when this settles. */
  sweep(status: string): Promise<void>;
  /** Resolves when the step must be stopped for its use of the disk; never otherwise. Ends with the signal. */
  diskExceeded(signal: AbortSignal): Promise<void>;
  /** Whether a disk of the step's own has no room left. False where there is none. */
  diskIsFull(): Promise<boolean>;
};

export type Supervised = {
  /** False when the sandbox itself would not start; `setupMessage` says why. */
  readonly started: boolean;
  readonly setupMessage: string;
  readonly stoppedFor: StopReason | null;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly wallMs: number;
  readonly output: OutputTotals;
};

/** What a launcher prints on its own stderr right before the step takes over; see `step-entry.ts`. */
export const STARTED_MARK = '@started\n';

/** Whether a launcher said so. A shell may grumble before it, about a locale that is not installed for one. */
export const saysStarted = (text: string): boolean => `\n${text}`.includes(`\n${STARTED_MARK}`);

/** Where a step's output goes, and how much of it. */
export type OutputPlace = { readonly bytesMax: number; readonly sink: OutputSink };

/** Lets a program begin, sees it through to its end whatever that takes, and says how it went. */
export async function superviseStep(
  begin: () => Launched,
  step: StepSpec,
  containment: Containment,
  killGraceMs: number,
  { bytesMax, sink }: OutputPlace,
): Promise<Supervised> {
  const startedAt = performance.now();
  const launched = begin();
  const { child, exited, status, setup, outputFd } = launched;
  const stopper = new StepStopper(
    () => containment.terminate(child, status.text),
    () => containment.kill(child, status.text),
    killGraceMs,
  );
  setup.onText = (text) => {
    if (saysStarted(text)) stopper.stepStarted();
  };
  const watched = watchStep(step, stopper, (signal) => containment.diskExceeded(signal));
  const output = new CappedOutput(bytesMax, sink, () => stopper.stopAtOnce('canceled'));
  const pump = pumpOutput(outputFd, output, watched.sawOutput);
  const hangUp = step.terminal === undefined ? null : typeInto(launched, step.terminal, watched.sawOutput);
  const exit = await exited;
  const wallMs = performance.now() - startedAt;
  watched.disarm();
  hangUp?.();
  await containment.sweep(status.text);
  pump.expectEnd();
  await Promise.all([pump.done, setup.ended]);
  const started = saysStarted(setup.text);
  return {
    started,
    setupMessage: started ? '' : (exit.error?.message ?? setup.text.trim()),
    stoppedFor: stopper.stoppedFor,
    exitCode: exit.code,
    signal: exit.signal,
    wallMs,
    output: output.totals(),
  };
}
