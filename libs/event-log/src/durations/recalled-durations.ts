import type { LearnedDurations, RepositoryId } from '@delta-ci/contracts';
import { NO_SAMPLES, learnDurations, tellDurations, type DurationSamples } from '@delta-ci/domain';
import type { LogConnection } from '../connection.ts';
import { whatDidRunsMeasure, type FinishedRun } from '../queries/what-did-runs-measure.ts';

interface Known {
  readonly samples: DurationSamples;
  readonly upTo: FinishedRun | null;
}

/** What planning is told has to fit into one message, with room to spare. */
const TOLD_BYTES_MAX = 384 * 1_024;
/** A repository's samples take up to some 2 MB; those of others are folded again from the tables. */
const REPOSITORIES_MAX = 50;

/**
 * What steps of repositories take. Folds the runs that finished since it was last asked, so that asking is cheap; made from
 * the tables alone, so that it may be lost, and whoever asks another one hears the same.
 */
export class RecalledDurations {
  readonly #log: LogConnection;
  readonly #known = new Map<RepositoryId, Promise<Known>>();

  constructor(log: LogConnection) {
    this.#log = log;
  }

  /** @throws when the database cannot be asked; what was known stays */
  async recall(repositoryId: RepositoryId): Promise<LearnedDurations> {
    const before = this.#known.get(repositoryId) ?? Promise.resolve(NOTHING);
    // One after the other, or two who ask at once would both learn from the same runs.
    const learned = before.then(async (known) => this.#learn(repositoryId, known));
    const kept = learned.catch(async () => before);
    this.#known.delete(repositoryId);
    this.#known.set(repositoryId, kept);
    const [oldest] = this.#known.keys();
    if (this.#known.size > REPOSITORIES_MAX && oldest !== undefined) this.#known.delete(oldest);
    return tellDurations((await learned).samples, TOLD_BYTES_MAX);
  }

  async #learn(repositoryId: RepositoryId, { samples, upTo }: Known): Promise<Known> {
    const runs = await whatDidRunsMeasure(this.#log, repositoryId, upTo);
    const last = runs.at(-1);
    if (last === undefined) return { samples, upTo };
    const learned = learnDurations(
      samples,
      runs.map(({ attempts }) => attempts),
    );
    return { samples: learned, upTo: { runId: last.runId, finishedAtMs: last.finishedAtMs } };
  }
}

const NOTHING: Known = { samples: NO_SAMPLES, upTo: null };
