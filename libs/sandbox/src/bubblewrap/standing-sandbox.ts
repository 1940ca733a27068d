import { readdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Sandbox, SandboxSpec } from '../sandbox-executor.ts';
import { standingSetting } from './bubblewrap-step.ts';
import { wantsOwnDisk } from './own-disk.ts';
import { assemble, furnishedFor, makePlace, stepsIn, vacate, type Preparation } from './prepare-sandbox.ts';
import { StandingSteps } from './standing-steps.ts';

/** A sandbox that stands before there is a job for it. */
export type StandingSandbox = {
  /**
   * The sandbox for a spec it suits, with that spec's environment and limits in force; null when it suits another alone, or those
   * limits cannot be put in force for what stands already.
   */
  readonly adopt: (preparation: Preparation, spec: SandboxSpec) => Promise<Sandbox | null>;
  /** Undoes one that nobody adopted, and nobody can any more. Answers what could not be removed; may be tried again. */
  readonly end: () => Promise<readonly string[]>;
};

/** The checkout and the first step of a job: most jobs have no more. */
const STEPS_AHEAD = 2;

/** What is built into a sandbox when it starts. Environment, and what its control groups bound, are given to it later. */
const builtIn = ({ workspace, network, binds, user, limits, root }: SandboxSpec): unknown => ({
  workspace,
  root,
  network,
  binds,
  user,
  tmpBytes: limits.tmpBytes,
});

/**
 * What stood is no stranger's, whatever else fits: it has no file system of its own.
 * @param given what lay in the workspace when it was given to the sandbox's user
 */
const suits = (guess: SandboxSpec, given: readonly string[], spec: SandboxSpec): boolean =>
  !wantsOwnDisk(spec) && isDeepStrictEqual(builtIn(guess), builtIn(spec)) && isDeepStrictEqual(contentOf(spec), given);

const contentOf = ({ workspace }: SandboxSpec): readonly string[] => readdirSync(workspace.hostDir).toSorted();

/**
 * Starts a sandbox for a job like `guess`. Null where that cannot be: without control groups limits are built in as well,
 * and a file system of its own has the job's size; or with any network. Throws when the host refuses what it should give; nothing is left then.
 */
export async function standUp(preparation: Preparation, guess: SandboxSpec): Promise<StandingSandbox | null> {
  const { cgroups } = preparation;
  if (cgroups === null || wantsOwnDisk(guess) || guess.network !== 'none') return null;
  const given = contentOf(guess);
  const made = await makePlace(preparation, guess, STEPS_AHEAD);
  if (!made.ok) throw new Error(made.refusal.message);
  const { furnished } = made;
  let standing: StandingSteps;
  try {
    standing = await StandingSteps.start(standingSetting(stepsIn(furnished), cgroups), STEPS_AHEAD);
  } catch (reason) {
    await vacate(furnished);
    throw reason;
  }
  let ended = false;
  return {
    adopt: async (current, spec) => {
      if (ended || !suits(guess, given, spec)) return null;
      try {
        await standing.limit(spec.limits);
      } catch {
        // It may hold more than the job may have. One that is made anew has its limits first, and whoever opens it is told
        // what else is wrong with them.
        return null;
      }
      return assemble(furnishedFor(furnished, current, spec), standing);
    },
    end: async () => {
      ended = true;
      await standing.end();
      return vacate(furnished);
    },
  };
}
