import { withSandboxPlace } from '../oracle/sandboxed-clone.ts';
import { makeTrial } from './make-trial.ts';
import type { TrialReport } from './report.ts';
import { toolchainFor } from './toolchains.ts';
import type { Trial } from './trial.ts';
import type { Where } from './unpacked-toolchains.ts';

/** Makes trials one after the other; one whose toolchain cannot be had, or that no sandbox can be opened for, is left out. */
export async function makeTrials(trials: readonly Trial[], where: Where, signal: AbortSignal): Promise<TrialReport[]> {
  return withSandboxPlace(where.cacheDir, async ({ executor, directory }) => {
    const { usable, layers } = await executor.probe();
    if (!usable) {
      const missing = layers.find(({ state }) => state === 'missing')?.by ?? 'it does not start';
      return trials.map(({ name }) => ({ name, skipped: `no sandbox can be opened here: ${missing}` }));
    }
    const reports: TrialReport[] = [];
    for (const trial of trials) {
      if (signal.aborted) break;
      const { name } = trial;
      where.say(name);
      const found = await toolchainFor(trial.toolchain, where);
      if (!found.ok) reports.push({ name, skipped: found.reason });
      else {
        const { dirs, material, version } = found.toolchain;
        const place = { executor, directory, toolchainDirs: dirs, signal };
        reports.push({ name, version, stages: await makeTrial(trial, place, material), skipped: null });
      }
    }
    return reports;
  });
}
