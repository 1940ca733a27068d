import type { RepositoryId, SampledRun } from '@delta-ci/contracts';
import { foldLedger, type ShadowInput } from '@delta-ci/planning';
import type { Logger } from '@delta-ci/service';
import { WeightedMemory } from './weighted-memory.ts';

/** Samples that count, of each repository: the newest. As many, of 2 % of the changes, are a year of a very busy one. */
const SAMPLES_MAX = 2_000;
/** Samples that are remembered, of all repositories. */
const REMEMBERED_MAX = 50_000;

/** What the log can say. */
export interface LedgerSource {
  /** Samples that finished after the one that is named; the first to finish first. */
  readonly samples: (repositoryId: RepositoryId, after: SampledRun | null) => Promise<readonly SampledRun[]>;
  /** Whether work has been waiting. */
  readonly isBusy: () => Promise<boolean>;
}

export type LedgerTold = Pick<ShadowInput, 'entries' | 'busy'>;

/** What the shadow ledger has of a repository, as the log says; asked only for what finished since it was asked last. */
export class ToldLedger {
  readonly #source: LedgerSource;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #samples = new WeightedMemory<readonly SampledRun[]>(REMEMBERED_MAX);

  constructor(source: LedgerSource, logger: Pick<Logger, 'warn'>) {
    this.#source = source;
    this.#logger = logger;
  }

  /** Null when the log cannot be asked: then no ledger is kept for the plan, and every optimisation is in force. */
  async ask(repositoryId: RepositoryId): Promise<LedgerTold | null> {
    try {
      const known = this.#samples.take(repositoryId) ?? [];
      const [news, busy] = await Promise.all([
        this.#source.samples(repositoryId, known.at(-1) ?? null),
        this.#source.isBusy(),
      ]);
      const samples = [...known, ...news].slice(-SAMPLES_MAX);
      if (samples.length > 0) this.#samples.keep(repositoryId, samples, samples.length);
      return { entries: foldLedger(samples), busy };
    } catch (err) {
      this.#logger.warn({ event: 'ledger-not-told', repositoryId, err });
      return null;
    }
  }
}
