import type { LearnedDurations, RepositoryId } from '@delta-ci/contracts';
import type { Logger } from '@delta-ci/service';

/** Repositories whose durations are kept for the time when nobody can say. */
const REPOSITORIES_MAX = 50;

/**
 * What steps of a repository take, as the log says. When it cannot be asked, what it said last counts, since a plan whose jobs
 * are cut otherwise for a moment helps nobody; null when it never said anything.
 */
export class ToldDurations {
  readonly #recall: (repositoryId: RepositoryId) => Promise<LearnedDurations>;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #last = new Map<RepositoryId, LearnedDurations>();

  constructor(recall: (repositoryId: RepositoryId) => Promise<LearnedDurations>, logger: Pick<Logger, 'warn'>) {
    this.#recall = recall;
    this.#logger = logger;
  }

  async ask(repositoryId: RepositoryId): Promise<LearnedDurations | null> {
    try {
      const told = await this.#recall(repositoryId);
      this.#keep(repositoryId, told);
      return told;
    } catch (err) {
      const last = this.#last.get(repositoryId) ?? null;
      this.#logger.warn({ event: 'durations-not-told', repositoryId, known: last !== null, err });
      return last;
    }
  }

  #keep(repositoryId: RepositoryId, durations: LearnedDurations): void {
    this.#last.delete(repositoryId);
    this.#last.set(repositoryId, durations);
    const [oldest] = this.#last.keys();
    if (this.#last.size > REPOSITORIES_MAX && oldest !== undefined) this.#last.delete(oldest);
  }
}
