import type { RunId, RunView } from '@delta-ci/contracts';

/** What is known to stand at the forge under one target. */
export type PublishedState = Omit<RunView['publications'][number], 'final'>;

/** Runs remembered: more than are ever under way at once. Who is forgotten is known from the view a moment later. */
const RUNS_MAX = 2_000;

/**
 * What was published, from the view and from memory: a publication of this process is known here before the log shows it.
 * Of two words on the same target the one about the newer view holds.
 */
export class PublishedStates {
  readonly #runs = new Map<RunId, Map<string, PublishedState>>();

  of(view: Pick<RunView, 'runId' | 'publications'>): ReadonlyMap<string, PublishedState> {
    const known = new Map<string, PublishedState>(view.publications.map((state) => [state.target, state]));
    for (const [target, state] of this.#runs.get(view.runId) ?? []) {
      if (state.viewPosition >= (known.get(target)?.viewPosition ?? -1)) known.set(target, state);
    }
    return known;
  }

  remember(runId: RunId, state: PublishedState): void {
    const states = this.#runs.get(runId) ?? new Map<string, PublishedState>();
    states.set(state.target, state);
    // Moved to the end: the first is the one that was published longest ago.
    this.#runs.delete(runId);
    this.#runs.set(runId, states);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > RUNS_MAX && oldest !== undefined) this.#runs.delete(oldest);
  }
}
