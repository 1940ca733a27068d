import type { Digest, RunView } from '@delta-ci/contracts';
import {
  desiredPublications,
  GATE_TARGET,
  type ForgeAnswer,
  type ForgeFailure,
  type GitHubChecks,
  type Publication,
  type PublicationLinks,
} from '@delta-ci/forge';
import type { ForgeDesk } from './forge-desk.ts';
import type { PublishedState, PublishedStates } from './published-states.ts';

/** One word to the log about one publication. */
export interface PublicationRecord extends PublishedState {
  status: 'published' | 'refused';
  detail: string;
  final: Publication['final'];
}

export interface PublishRunParts {
  links: PublicationLinks;
  states: PublishedStates;
  /** Resolves once the record is on its way; rejects when it could not be sent. */
  record: (view: RunView, record: PublicationRecord) => Promise<void>;
  nowMs: () => number;
}

/** `later`: something is missing and may work when asked again. */
export type PublishOutcome = { kind: 'done'; sent: number } | { kind: 'later'; failure: ForgeFailure };

interface Task {
  view: RunView;
  publication: Publication;
  known: PublishedState | undefined;
}

/**
 * Makes the forge show this view of a run: sends what differs from what was published last, and records every success and
 * every refusal. Stops at the first failure that waiting may cure.
 */
export async function publishRun(
  view: RunView,
  desk: ForgeDesk | null,
  parts: PublishRunParts,
): Promise<PublishOutcome> {
  const known = parts.states.of(view);
  const tasks = desiredPublications(view, parts.links).map((publication) => ({
    view,
    publication,
    known: known.get(publication.target),
  }));
  if (desk === null || desk.checks === null) {
    await refuseOnce(
      tasks,
      parts,
      desk === null ? 'no forge of this repository is set up' : `no token for ${desk.name}`,
    );
    return { kind: 'done', sent: 0 };
  }
  const existing = new ExistingChecks(desk.checks, view);
  let sent = 0;
  for (const task of tasks.filter(differs)) {
    const answer = await send(task, desk.checks, existing);
    if (answer.ok) desk.succeeded();
    else desk.failed(answer.failure, parts.nowMs());
    if (!answer.ok && !isFinal(answer.failure)) {
      if (answer.failure.kind === 'unauthorised') await refuseOnce(tasks, parts, answer.failure.message);
      return { kind: 'later', failure: answer.failure };
    }
    await recordAnswer(task, answer, parts);
    sent += 1;
  }
  return { kind: 'done', sent };
}

/** Asking again in the same words would be refused again. */
const isFinal = ({ kind }: ForgeFailure): boolean => kind === 'refused' || kind === 'not_found';

/** An older view never goes over a newer one, and what stands there already is not sent again. */
function differs({ view, publication, known }: Task): boolean {
  if (known === undefined) return true;
  return known.viewPosition <= view.position && known.digest !== publication.digest;
}

/** Stands for no content at all, so that whatever is desired differs from it: once there is a token, all is sent. */
const NOTHING: Digest = `sha256:${'0'.repeat(64)}`;

/** Nothing can be published of this run, and a person has to act: said once, at the gate. */
async function refuseOnce(tasks: readonly Task[], parts: PublishRunParts, detail: string): Promise<void> {
  const gate = tasks.find(({ publication }) => publication.target === GATE_TARGET);
  if (gate === undefined || gate.known?.status === 'refused') return;
  const { view, known } = gate;
  const state = {
    target: GATE_TARGET,
    externalId: known?.externalId ?? '',
    digest: NOTHING,
    viewPosition: view.position,
  };
  await parts.record(view, { ...state, status: 'refused', detail, final: null });
  parts.states.remember(view.runId, { ...state, status: 'refused' });
}

async function send(
  { publication, known }: Task,
  checks: GitHubChecks,
  existing: ExistingChecks,
): Promise<ForgeAnswer<string>> {
  const { fullName } = existing;
  const { content } = publication;
  if (known !== undefined && known.externalId !== '') {
    const updated = await checks.update(fullName, known.externalId, content);
    // Gone at the forge: it is looked for, and made anew.
    if (updated.ok || updated.failure.kind !== 'not_found') return updated;
  }
  const found = await existing.find(content.externalId);
  if (!found.ok) return found;
  const again = found.value === null || found.value === known?.externalId;
  return again ? checks.create(fullName, content) : checks.update(fullName, found.value ?? '', content);
}

/** What stands at the forge for a commit, asked at most once and only when something is unknown. */
class ExistingChecks {
  readonly fullName: string;
  readonly #checks: GitHubChecks;
  readonly #headSha: string;
  #ids: Map<string, string> | null = null;

  constructor(checks: GitHubChecks, view: RunView) {
    this.fullName = view.repository.fullName;
    this.#checks = checks;
    this.#headSha = view.change.head;
  }

  /** The forge's id of the check that has this external id. */
  async find(externalId: string): Promise<ForgeAnswer<string | null>> {
    if (this.#ids === null) {
      const listed = await this.#checks.list(this.fullName, this.#headSha);
      if (!listed.ok) return listed;
      this.#ids = new Map(listed.value.map((check) => [check.externalId, check.id]));
    }
    return { ok: true, value: this.#ids.get(externalId) ?? null };
  }
}

async function recordAnswer(
  { view, publication, known }: Task,
  answer: ForgeAnswer<string>,
  { states, record }: PublishRunParts,
): Promise<void> {
  const { target, digest, final } = publication;
  const state = {
    target,
    externalId: answer.ok ? answer.value : (known?.externalId ?? ''),
    digest,
    status: answer.ok ? ('published' as const) : ('refused' as const),
    viewPosition: view.position,
  };
  const detail = answer.ok ? '' : `${answer.failure.kind}: ${answer.failure.message}`;
  await record(view, { ...state, detail: detail.slice(0, 1_000), final: answer.ok ? final : null });
  states.remember(view.runId, state);
}
