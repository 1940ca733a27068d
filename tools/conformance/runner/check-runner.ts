import { Judgement } from '../judgement.ts';
import type { Verdict } from '../requirement.ts';
import { judgeAlways } from './always.ts';
import { RUNNER_REQUIREMENTS, type RunnerRequirement } from './requirements.ts';
import { SCENES } from './scenes.ts';
import { ServedSource } from './served-source.ts';
import { Stage, type RunnerCommand, type Scene } from './stage.ts';

export const RUNNER_IDS = Object.keys(RUNNER_REQUIREMENTS) as RunnerRequirement[];

export interface CheckOptions extends RunnerCommand {
  /** Empty for all. */
  readonly only: readonly RunnerRequirement[];
  /** Scenes under way at once. */
  readonly atOnce: number;
  readonly signal: AbortSignal;
  /** Told of each scene that is over. */
  readonly onScene: (name: string, done: number, of: number) => void;
}

/** Puts a runner into every scene, and judges what it does there. */
export async function checkRunner(options: CheckOptions): Promise<readonly Verdict[]> {
  const ids = options.only.length === 0 ? RUNNER_IDS : options.only;
  const judgement = new Judgement(RUNNER_REQUIREMENTS);
  const scenes = SCENES.filter(({ judges }) => options.only.length === 0 || judges.some((id) => ids.includes(id)));
  // What holds of every request is seen in any scene that works.
  const chosen = scenes.length === 0 ? SCENES.slice(0, 1) : scenes;
  const source = await ServedSource.open();
  let done = 0;
  try {
    const rest = chosen.values();
    const playSome = async (): Promise<void> => {
      for (const scene of rest) {
        if (options.signal.aborted) return;
        await playScene(scene, judgement, source, options);
        done += 1;
        options.onScene(scene.name, done, chosen.length);
      }
    };
    await Promise.all(Array.from({ length: options.atOnce }, playSome));
  } finally {
    await source.close();
  }
  return judgement.verdicts(ids);
}

async function playScene(
  scene: Scene,
  judgement: Judgement<RunnerRequirement>,
  source: ServedSource,
  options: CheckOptions,
): Promise<void> {
  const stage = await Stage.set(scene, judgement, source, options);
  const interrupt = (): void => stage.runner.destroy();
  options.signal.addEventListener('abort', interrupt);
  try {
    await scene.play(stage);
    await stage.end();
    judgeAlways(stage);
    stage.judgeTheRest();
  } finally {
    options.signal.removeEventListener('abort', interrupt);
    await stage.clear();
  }
}
