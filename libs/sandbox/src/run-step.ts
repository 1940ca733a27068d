import { constants } from 'node:os';
import type { StepEnding } from '@delta-ci/contracts';
import { errorInWords } from './error-code.ts';
import { createStepCgroup, CGROUP_PREFIX, type CgroupUsage, type StepCgroup } from './cgroup/step-cgroup.ts';
import type { CgroupHost } from './cgroup/cgroup-host.ts';
import { launchStep, type Launch, type Launched } from './launch-step.ts';
import type { SandboxLimits } from './limits.ts';
import { refusal } from './refusal.ts';
import type { OutputSink, StepOutcome, StepResult, StepSpec } from './sandbox-executor.ts';
import { superviseStep, type Containment, type Supervised } from './supervise-step.ts';

/** What one tier brings to the running of a step. */
export type StepSetting = {
  readonly sandboxId: string;
  readonly cgroups: CgroupHost | null;
  readonly limits: SandboxLimits;
  readonly killGraceMs: number;
  launch(step: StepSpec, joinFiles: readonly string[]): Launch;
  contain(cgroup: StepCgroup | null): Containment;
  /** A place that was made ahead and suits this step; null when there is none. Left out where none is ever made ahead. */
  takeAhead?(step: StepSpec): Promise<StepPlace | null>;
};

/** Where a step runs: its control group, and what lets it begin there. */
export type StepPlace = { readonly cgroup: StepCgroup | null; readonly begin: () => Launched };

/** Where nothing counts what is read and written. */
export const IO_NOT_COUNTED: CgroupUsage['io'] = { readBytes: null, writtenBytes: null, reads: null, writes: null };

export const NOT_COUNTED: CgroupUsage = { cpuMs: null, memoryPeakBytes: null, oomKilled: null, io: IO_NOT_COUNTED };

/** Canceled before there was anything to cancel. */
export const NEVER_BEGAN: StepResult = {
  endedBy: 'canceled',
  exitCode: null,
  signal: null,
  wallMs: 0,
  ...NOT_COUNTED,
  outputBytes: 0,
  outputTruncated: false,
};

/** Shells and launchers turn death by signal n into exit code 128 + n; 64 is the last signal. */
function signalOf(exitCode: number | null): string | null {
  const number = (exitCode ?? 0) - 128;
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] ?? null;
}

function exitCodeOf(supervised: Supervised): number | null {
  return supervised.signal === null ? supervised.exitCode : 128 + constants.signals[supervised.signal];
}

/** What a step ended for, when all is known that can be. `signal`: what it died of. */
function endingOf({ stoppedFor, exitCode }: Supervised, signal: string | null, seen: StepSeen): StepEnding {
  if (stoppedFor !== null) return stoppedFor;
  if (seen.usage.oomKilled === true) return 'out_of_memory';
  if (seen.diskIsFull && exitCode !== 0) return 'disk_full';
  return signal === null ? 'exit' : 'signal';
}

function resultOf(supervised: Supervised, seen: StepSeen): StepResult {
  const exitCode = exitCodeOf(supervised);
  const signal = signalOf(exitCode);
  return {
    endedBy: endingOf(supervised, signal, seen),
    exitCode,
    signal,
    wallMs: supervised.wallMs,
    ...seen.usage,
    outputBytes: supervised.output.bytes,
    outputTruncated: supervised.output.truncated,
  };
}

/** What is seen of a step when it is over. */
export type StepSeen = { readonly usage: CgroupUsage; readonly diskIsFull: boolean };

/** What a supervised step amounts to. */
export function outcomeOf(supervised: Supervised, seen: StepSeen): StepOutcome {
  const { sinkError } = supervised.output;
  if (sinkError !== null) return { kind: 'fault', refusal: refusal('sink_failed', sinkError.message) };
  if (!supervised.started && supervised.stoppedFor === null) {
    return { kind: 'fault', refusal: refusal('sandbox_setup_failed', supervised.setupMessage) };
  }
  return { kind: 'finished', result: resultOf(supervised, seen) };
}

async function makePlace(setting: StepSetting, step: StepSpec, ordinal: number): Promise<StepPlace> {
  const name = `${CGROUP_PREFIX}${setting.sandboxId}-${ordinal}`;
  const cgroup = setting.cgroups === null ? null : await createStepCgroup(setting.cgroups, name, setting.limits);
  return { cgroup, begin: () => launchStep(setting.launch(step, cgroup?.joinFiles ?? [])) };
}

async function runIn({ cgroup, begin }: StepPlace, setting: StepSetting, step: StepSpec, sink: OutputSink) {
  try {
    const output = { bytesMax: step.outputBytes ?? setting.limits.outputBytes, sink };
    const containment = setting.contain(cgroup);
    const supervised = await superviseStep(begin, step, containment, setting.killGraceMs, output);
    const usage = cgroup === null ? NOT_COUNTED : await cgroup.usage();
    return outcomeOf(supervised, { usage, diskIsFull: await containment.diskIsFull() });
  } finally {
    await cgroup?.remove();
  }
}

const neverStarted = (outcome: StepOutcome): boolean =>
  outcome.kind === 'fault' && outcome.refusal.code === 'sandbox_setup_failed';

/** Of a step whose place, made ahead, fell down meanwhile, nothing has run: it gets another. */
async function runContained(setting: StepSetting, step: StepSpec, ordinal: number, sink: OutputSink) {
  const ahead = (await setting.takeAhead?.(step)) ?? null;
  const outcome = ahead === null ? null : await runIn(ahead, setting, step, sink);
  if (outcome !== null && !neverStarted(outcome)) return outcome;
  return runIn(await makePlace(setting, step, ordinal), setting, step, sink);
}

/**
 * Runs step number `ordinal` of a sandbox in a control group of its own, where there are any. Whatever the host refuses
 * on the way (groups, descriptors, processes) is a fault, not an exception.
 */
export async function runStep(
  setting: StepSetting,
  step: StepSpec,
  ordinal: number,
  sink: OutputSink,
): Promise<StepOutcome> {
  if (step.signal?.aborted === true) return { kind: 'finished', result: NEVER_BEGAN };
  try {
    return await runContained(setting, step, ordinal, sink);
  } catch (reason) {
    return { kind: 'fault', refusal: refusal('sandbox_setup_failed', errorInWords(reason)) };
  }
}
