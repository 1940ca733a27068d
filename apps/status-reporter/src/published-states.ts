import type { RunId, RunView } from '@delta-ci/contracts';
import type { Publication } from '@delta-ci/forge';

/** What is known to stand at the forge under one target. */
export type PublishedState = Omit<RunView['publications'][number], 'final'>;

/** One word to the log about one publication. */
export interface PublicationRecord extends PublishedState {
  status: 'published' | 'refused';
  detail: string;
  final: Publication['final'];
}

interface Remembered {
  readonly record: PublicationRecord;
  /** When the report of it was sent last. */
  readonly sentAtMs: number;
}

/** A report that no view shows after so long may have been lost with the store of the bus: it is sent again. */
const SHOWN_WITHIN_MS = 60_000;

/** Runs remembered: more than are ever under way at once. Who is forgotten is known from the view a moment later. */
const RUNS_MAX = 2_000;

/**
 * What was published, from the view and from memory: a publication of this process is known here before the log shows it.
 * Of two words on the same target the one about the newer view holds.
 */
export class PublishedStates {
  readonly #runs = new Map<RunId, Map<string, Remembered>>();

  of(view: Pick<RunView, 'runId' | 'publications'>): ReadonlyMap<string, PublishedState> {
    const known = new Map<string, PublishedState>(view.publications.map((state) => [state.target, state]));
    for (const [target, { record }] of this.#runs.get(view.runId) ?? []) {
      if (record.viewPosition >= (known.get(target)?.viewPosition ?? -1)) known.set(target, stateOf(record));
    }
    return known;
  }

  /** What was reported of this run long enough ago, and its view does not show. */
  unshown(view: Pick<RunView, 'runId' | 'publications'>, nowMs: number): PublicationRecord[] {
    return [...(this.#runs.get(view.runId)?.values() ?? [])]
      .filter(({ record, sentAtMs }) => nowMs - sentAtMs >= SHOWN_WITHIN_MS && !isShown(record, view))
      .map(({ record }) => record);
  }

  remember(runId: RunId, record: PublicationRecord, sentAtMs: number): void {
    const states = this.#runs.get(runId) ?? new Map<string, Remembered>();
    states.set(record.target, { record, sentAtMs });
    // Moved to the end: the first is the one that was published longest ago.
    this.#runs.delete(runId);
    this.#runs.set(runId, states);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > RUNS_MAX && oldest !== undefined) this.#runs.delete(oldest);
  }
}

function isShown(
  { target, digest, viewPosition, final }: PublicationRecord,
  view: Pick<RunView, 'publications'>,
): boolean {
  const shown = view.publications.find((publication) => publication.target === target);
  if (shown === undefined || shown.viewPosition < viewPosition) return false;
  if (shown.viewPosition > viewPosition) return true;
  return shown.digest === digest && (final === null || shown.final === final);
}

const stateOf = ({ target, externalId, digest, status, viewPosition }: PublicationRecord): PublishedState => ({
  target,
  externalId,
  digest,
  status,
  viewPosition,
});
