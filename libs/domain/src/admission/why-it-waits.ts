import type { JobKey, JobRequirements, JobState, RunnerCapabilities, RunState, WhyItWaits } from '@delta-ci/contracts';
import { matchRequirements, type Mismatch } from './match-requirements.ts';

/** What is known of a job and of everything it could wait for, at one moment. */
export interface WaitingScene {
  readonly runState: RunState;
  /** Attempts of the run queued or live at a time, at most, and how many are. */
  readonly maxConcurrency: number;
  readonly unfinishedAttempts: number;
  readonly jobKey: JobKey;
  /** Null while the run has no plan. */
  readonly job: {
    readonly state: JobState;
    readonly needs: readonly { readonly jobKey: JobKey; readonly state: JobState }[];
    /** Whether its newest attempt waits for a runner. */
    readonly queued: boolean;
    readonly requirements: JobRequirements;
  } | null;
  /** Busy is also who had a job that is over: most take one in their life. */
  readonly runners: readonly { readonly capabilities: RunnerCapabilities; readonly busy: boolean }[];
  /** What held capacity back at the pool's last scaling decision. */
  readonly heldBack: readonly string[];
}

const NOTHING = { needs: [], mismatches: [], capacity: [] };

/** Why a job waits: its run, what it needs, its run's own limit, or runners; the nearest reason is the one that counts. */
export function whyItWaits(scene: WaitingScene): WhyItWaits {
  const { job, jobKey, runState } = scene;
  if (job === null && runState === 'finished') return notWaiting(jobKey, 'had no plan when its run ended');
  if (job === null) {
    return {
      ...NOTHING,
      reason: 'planning',
      sentence: `${jobKey} waited for its run's plan: the run was ${runState}.`,
    };
  }
  if (job.state === 'finished') return notWaiting(jobKey, 'was over');
  if (job.state === 'active' && !job.queued) return notWaiting(jobKey, 'had a runner');
  if (runState === 'canceling') {
    const sentence = `${jobKey} was not going to start: its run was being canceled.`;
    return { ...NOTHING, reason: 'starts-nothing-more', sentence };
  }
  if (job.state === 'blocked') return waitsForNeeds(jobKey, job.needs);
  if (job.state === 'ready') return waitsForRun(scene);
  return waitsForRunner(scene, job.requirements);
}

function notWaiting(jobKey: JobKey, because: string): WhyItWaits {
  return { ...NOTHING, reason: 'not-waiting', sentence: `${jobKey} did not wait: it ${because}.` };
}

function waitsForNeeds(jobKey: JobKey, needs: NonNullable<WaitingScene['job']>['needs']): WhyItWaits {
  const open = needs.filter(({ state }) => state !== 'finished');
  const named = open.map((need) => `${need.jobKey} (${need.state})`).join(', ');
  return { ...NOTHING, reason: 'needs', needs: [...open], sentence: `${jobKey} was blocked by ${named}.` };
}

/** Ready and not admitted: the run had as many attempts under way as it may, or was going to start nothing more. */
function waitsForRun({ jobKey, maxConcurrency, unfinishedAttempts }: WaitingScene): WhyItWaits {
  if (unfinishedAttempts >= maxConcurrency) {
    const sentence = `${jobKey} was ready and waited for its own run, which had ${unfinishedAttempts} of at most ${maxConcurrency} attempts under way.`;
    return { ...NOTHING, reason: 'run-concurrency', sentence };
  }
  const sentence = `${jobKey} was ready and was not going to start: a job its run could not do without had failed.`;
  return { ...NOTHING, reason: 'starts-nothing-more', sentence };
}

function waitsForRunner({ jobKey, runners, heldBack }: WaitingScene, requirements: JobRequirements): WhyItWaits {
  const { pool } = requirements;
  const capacity = [...heldBack];
  const held = capacity.length === 0 ? '' : ` Capacity was held back: ${capacity.join('; ')}.`;
  if (runners.length === 0) {
    return {
      ...NOTHING,
      reason: 'no-runner',
      capacity,
      sentence: `${jobKey} waited because pool ${pool} had no runner.${held}`,
    };
  }
  const matches = runners.filter(({ capabilities }) => matchRequirements(requirements, capabilities).ok);
  if (matches.length === 0) {
    const mismatches = closestMismatches(runners, requirements).map(({ message }) => message);
    const who =
      runners.length === 1
        ? `the only runner of pool ${pool}`
        : `each of the ${runners.length} runners of pool ${pool}`;
    const sentence = `${jobKey} waited because ${who} lacked something it needs: ${mismatches.join('; ')}.`;
    return { ...NOTHING, reason: 'no-runner-matches', mismatches, capacity, sentence };
  }
  if (matches.every(({ busy }) => busy)) {
    const busy =
      matches.length === 1
        ? `the only runner of pool ${pool} that could take it was busy or had had its job`
        : `all ${matches.length} runners of pool ${pool} that could take it were busy or had had their job`;
    const sentence = `${jobKey} waited because ${busy}.${held}`;
    return { ...NOTHING, reason: 'no-runner-free', capacity, sentence };
  }
  const sentence = `${jobKey} waited for the moment it takes to hand it out: a runner of pool ${pool} was free for it.`;
  return { ...NOTHING, reason: 'about-to-be-taken', sentence };
}

function closestMismatches(runners: WaitingScene['runners'], requirements: JobRequirements): readonly Mismatch[] {
  let closest: readonly Mismatch[] | null = null;
  for (const { capabilities } of runners) {
    const match = matchRequirements(requirements, capabilities);
    if (!match.ok && (closest === null || match.mismatches.length < closest.length)) closest = match.mismatches;
  }
  return closest ?? [];
}
