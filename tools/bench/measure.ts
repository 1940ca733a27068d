import type { Figure } from './report/figure.ts';
import type { Scene } from './scene.ts';

/** One thing that is measured, in a file of its own. */
export interface Measure {
  /** Lower case with hyphens; figures are named `<name>.<what>`. */
  readonly name: string;
  /** What it measures and beside which raw limit, in one line. */
  readonly what: string;
  /** True: only when it is asked for by name, because it takes long or needs more than a usual machine gives. */
  readonly byName?: true;
  readonly run: (bench: Bench) => Promise<Figure[]>;
}

/** What a measure works with. */
export interface Bench {
  /** Closes what the measure opens. */
  readonly scene: Scene;
  /** 1 for a real measure, less for a look: multiplies how much work is done, never how it is done. */
  readonly share: number;
  /** The largest number of jobs in the log that growth goes up to. */
  readonly jobsMax: number;
  /** How many runs the log holds that is replayed. */
  readonly replayedRuns: number;
  /** Directory of a repository whose history is planned again beside the made one; null for none. */
  readonly repo: string | null;
  readonly say: (what: string) => void;
}

/** A tenth of the work for a look, but never none. */
export const amount = ({ share }: Pick<Bench, 'share'>, whole: number): number =>
  Math.max(1, Math.round(whole * share));
