import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobLimits } from '@delta-ci/contracts';
import type { CgroupHost } from '../cgroup/cgroup-host.ts';
import { CGROUP_PREFIX, createStepCgroup, type StepCgroup } from '../cgroup/step-cgroup.ts';
import { launchStep, tell, type Launch, type Launched } from '../launch-step.ts';
import type { StepPlace } from '../run-step.ts';
import type { Containment } from '../supervise-step.ts';
import { firstProcessOf } from './sandbox-processes.ts';

/** A sandbox of one step that stands, with a shell in it that waits to be told what to run. */
type StandingStep = { readonly cgroup: StepCgroup; readonly launched: Launched };

/** What starts and ends them. */
export type StandingSetting = {
  readonly sandboxId: string;
  readonly cgroups: CgroupHost;
  /** In force from the beginning. */
  readonly limits: JobLimits;
  launch(joinFiles: readonly string[], ordinal: number): Launch;
  contain(cgroup: StepCgroup): Containment;
};

/** A launcher says which process is its first within milliseconds; one that takes this long is not waited for. */
const REPORTED_WITHIN_MS = 10_000;

const isGone = ({ child }: Launched): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

/**
 * The sandboxes of a job's first steps, started before there is a job: each of a step's own, with namespaces, mounts, filter
 * and user in force, and nothing of any job in it. A step that takes one tells it what to run.
 */
export class StandingSteps {
  private readonly setting: StandingSetting;
  private readonly waiting: StandingStep[] = [];

  private constructor(setting: StandingSetting) {
    this.setting = setting;
  }

  /** Starts `count` of them; settles when each has a process that can be killed with all it has, or is over. */
  static async start(setting: StandingSetting, count: number): Promise<StandingSteps> {
    const steps = new StandingSteps(setting);
    try {
      for (let ordinal = 0; ordinal < count; ordinal += 1) await steps.add(ordinal);
      await Promise.all(steps.waiting.map(async ({ launched }) => reported(launched)));
      return steps;
    } catch (reason) {
      await steps.end();
      throw reason;
    }
  }

  /** Puts the job's limits in force for all of them, where they are others. Throws when the host refuses. */
  async limit(limits: JobLimits): Promise<void> {
    await Promise.all(this.waiting.map(async ({ cgroup }) => cgroup.limit(limits)));
  }

  /** The next one for a step that is begun with these words; null when none is left that still stands. */
  async take(words: string): Promise<StepPlace | null> {
    const next = this.waiting.shift();
    if (next === undefined) return null;
    if (isGone(next.launched)) {
      await this.bury(next);
      return null;
    }
    const { cgroup, launched } = next;
    await cgroup.begin();
    return { cgroup, begin: () => tell(launched, words) };
  }

  /** Ends those that nobody took: nothing of them is alive when this settles. */
  async end(): Promise<void> {
    await Promise.all(this.waiting.splice(0).map(async (step) => this.bury(step)));
  }

  private async add(ordinal: number): Promise<void> {
    const { sandboxId, cgroups, limits } = this.setting;
    const cgroup = await createStepCgroup(cgroups, `${CGROUP_PREFIX}${sandboxId}-ahead-${ordinal}`, limits);
    try {
      this.waiting.push({ cgroup, launched: launchStep(this.setting.launch(cgroup.joinFiles, ordinal)) });
    } catch (reason) {
      await cgroup.remove();
      throw reason;
    }
  }

  private async bury({ cgroup, launched }: StandingStep): Promise<void> {
    const containment = this.setting.contain(cgroup);
    containment.kill(launched.child, launched.status.text);
    await launched.exited;
    await containment.sweep(launched.status.text);
    closeSync(launched.outputFd);
    if (launched.gateFd !== null) closeSync(launched.gateFd);
    await cgroup.remove();
  }
}

/** Killed before it says which process is its first, a launcher would leave that one to nobody. */
async function reported({ status, exited }: Launched): Promise<void> {
  const first = Promise.withResolvers<void>();
  status.onText = (text) => {
    if (firstProcessOf(text) !== null) first.resolve();
  };
  status.onText(status.text);
  const heard = new AbortController();
  const silence = delay(REPORTED_WITHIN_MS, undefined, { signal: heard.signal }).then(
    () => Promise.reject(new Error(`a sandbox did not stand within ${REPORTED_WITHIN_MS} ms`)),
    () => undefined,
  );
  try {
    await Promise.race([first.promise, exited, silence]);
  } finally {
    heard.abort();
  }
}
