import type { StepEnding } from '@delta-ci/contracts';
import type { StepSpec } from './sandbox-executor.ts';

/** Why a step is stopped by us. */
export type StopReason = Extract<StepEnding, 'timeout' | 'idle_timeout' | 'canceled' | 'disk_full'>;

/** Decides, once, why a step is stopped, and carries it out: ask first where that makes sense, kill after the grace. */
export class StepStopper {
  /** Null as long as nobody wants it stopped. */
  stoppedFor: StopReason | null = null;
  private killTimer: NodeJS.Timeout | undefined;
  private readonly ask: () => void;
  private readonly kill: () => void;
  private readonly killGraceMs: number;
  private started = false;
  private over = false;

  constructor(ask: () => void, kill: () => void, killGraceMs: number) {
    this.ask = ask;
    this.kill = kill;
    this.killGraceMs = killGraceMs;
  }

  stop(why: StopReason): void {
    if (this.over || this.stoppedFor !== null) return;
    this.stoppedFor = why;
    if (this.started) this.ask();
    this.killTimer = setTimeout(this.kill, this.killGraceMs);
  }

  /** Before this there is nobody to ask; whoever wanted the step stopped meanwhile has it asked now. */
  stepStarted(): void {
    if (this.started) return;
    this.started = true;
    if (this.stoppedFor !== null) this.ask();
  }

  stopAtOnce(why: StopReason): void {
    if (this.over) return;
    if (this.stoppedFor === null) this.stoppedFor = why;
    this.kill();
  }

  finish(): void {
    this.over = true;
    clearTimeout(this.killTimer);
  }
}

/** Arms everything that may stop the step; answers how to disarm it, and how to say that output came. */
export function watchStep(step: StepSpec, stopper: StepStopper, diskExceeded: (signal: AbortSignal) => Promise<void>) {
  const over = new AbortController();
  const timeout = setTimeout(() => stopper.stop('timeout'), step.timeoutMs);
  const { idleTimeoutMs } = step;
  const idle = idleTimeoutMs === null ? null : setTimeout(() => stopper.stop('idle_timeout'), idleTimeoutMs);
  const onAbort = (): void => stopper.stop('canceled');
  step.signal?.addEventListener('abort', onAbort, { once: true });
  if (step.signal?.aborted === true) onAbort();
  void diskExceeded(over.signal).then(() => stopper.stopAtOnce('disk_full'));
  return {
    sawOutput: (): void => void idle?.refresh(),
    disarm: (): void => {
      over.abort();
      clearTimeout(timeout);
      if (idle !== null) clearTimeout(idle);
      step.signal?.removeEventListener('abort', onAbort);
      stopper.finish();
    },
  };
}
