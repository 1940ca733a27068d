import type { Digest, RunView } from '@delta-ci/contracts';
import {
  desiredPublications,
  GATE_TARGET,
  showsContent,
  type ForgeAnswer,
  type ForgeFailure,
  type KnownCheck,
  type Publication,
  type PublicationLinks,
} from '@delta-ci/forge';
import type { ChecksClient, ForgeDesk } from './forge-desk.ts';
import type { PublicationRecord, PublishedState, PublishedStates } from './published-states.ts';
import type { Certainty } from './unanswered-calls.ts';

export interface PublishRunParts {
  links: PublicationLinks;
  states: PublishedStates;
  /** Of what was published before this look. */
  certainty: Certainty;
  /** Resolves once the record is on its way; rejects when it could not be sent. */
  record: (view: RunView, record: PublicationRecord) => Promise<void>;
  nowMs: () => number;
}

/** `later`: something is missing and may work when asked again. `isSplit`: one check was found twice. */
export type PublishOutcome =
  { kind: 'done'; sent: number; isSplit: boolean } | { kind: 'later'; failure: ForgeFailure };

interface Task {
  view: RunView;
  publication: Publication;
  known: PublishedState | undefined;
}

/**
 * Makes the forge show this view of a run: sends what differs from what was published last, and records every success and
 * every refusal. Stops at the first failure that waiting may cure. What may still be overtaken by a call that was given
 * up is not called final; when that is over, what the forge shows is compared itself, in place of what was published.
 */
export async function publishRun(
  view: RunView,
  desk: ForgeDesk | null,
  parts: PublishRunParts,
): Promise<PublishOutcome> {
  await reportAgain(view, parts);
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
    return { kind: 'done', sent: 0, isSplit: false };
  }
  const existing = new ExistingChecks(desk.checks, view);
  const isDue = parts.certainty === 'due';
  let sent = 0;
  for (const task of tasks.filter(isDue ? isNewest : differs)) {
    const answer = isDue ? await correct(task, desk.checks, existing) : await send(task, desk.checks, existing);
    if (answer.ok) desk.succeeded();
    else desk.failed(answer.failure, parts.nowMs());
    if (!answer.ok && !isFinal(answer.failure)) {
      if (answer.failure.kind === 'unauthorised') await refuseOnce(tasks, parts, answer.failure.message);
      return { kind: 'later', failure: answer.failure };
    }
    await recordAnswer(task, answer, parts);
    sent += 1;
  }
  return { kind: 'done', sent, isSplit: existing.isSplit };
}

/** The forge shows it already: only the word to the log is repeated, under the same id, which makes a repeat harmless. */
async function reportAgain(view: RunView, { states, record, nowMs }: PublishRunParts): Promise<void> {
  for (const unshown of states.unshown(view, nowMs())) await report(view, unshown, { states, record, nowMs });
}

async function report(
  view: RunView,
  what: PublicationRecord,
  { states, record, nowMs }: Pick<PublishRunParts, 'states' | 'record' | 'nowMs'>,
): Promise<void> {
  await record(view, what);
  states.remember(view.runId, what, nowMs());
}

/** Asking again in the same words would be refused again. */
const isFinal = ({ kind }: ForgeFailure): boolean => kind === 'refused' || kind === 'not_found';

/** An older view never goes over a newer one. */
const isNewest = ({ view, known }: Task): boolean => known === undefined || known.viewPosition <= view.position;

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
  await report(view, { ...state, status: 'refused', detail, final: null }, parts);
}

async function send(
  { publication, known }: Task,
  checks: ChecksClient,
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

/** Makes every check that the forge has of this publication show it: one that was created twice stands there twice. */
async function correct(
  { publication: { content }, known }: Task,
  checks: ChecksClient,
  existing: ExistingChecks,
): Promise<ForgeAnswer<string>> {
  const listed = await existing.all(content.externalId);
  if (!listed.ok) return listed;
  for (const check of listed.value.filter((one) => !showsContent(one, content))) {
    const updated = await checks.update(existing.fullName, check.id, content);
    if (!updated.ok) return updated;
  }
  const ids = listed.value.map(({ id }) => id);
  const [last] = ids.toReversed();
  if (last === undefined) return checks.create(existing.fullName, content);
  return { ok: true, value: known !== undefined && ids.includes(known.externalId) ? known.externalId : last };
}

/** What stands at the forge for a commit, asked at most once and only when something is unknown. */
class ExistingChecks {
  readonly fullName: string;
  readonly #checks: ChecksClient;
  readonly #headSha: string;
  #listed: Map<string, KnownCheck[]> | null = null;
  #isSplit = false;

  constructor(checks: ChecksClient, view: RunView) {
    this.fullName = view.repository.fullName;
    this.#checks = checks;
    this.#headSha = view.change.head;
  }

  /** The forge's id of the check that has this external id. */
  async find(externalId: string): Promise<ForgeAnswer<string | null>> {
    const all = await this.all(externalId);
    return all.ok ? { ok: true, value: all.value.at(-1)?.id ?? null } : all;
  }

  /** Whether a check of ours that was asked for stands there more than once. */
  get isSplit(): boolean {
    return this.#isSplit;
  }

  /** Every check that has this external id. */
  async all(externalId: string): Promise<ForgeAnswer<readonly KnownCheck[]>> {
    if (this.#listed === null) {
      const listed = await this.#checks.list(this.fullName, this.#headSha);
      if (!listed.ok) return listed;
      this.#listed = Map.groupBy(listed.value, (check) => check.externalId);
    }
    const found = this.#listed.get(externalId) ?? [];
    this.#isSplit ||= found.length > 1;
    return { ok: true, value: found };
  }
}

async function recordAnswer(
  { view, publication, known }: Task,
  answer: ForgeAnswer<string>,
  parts: PublishRunParts,
): Promise<void> {
  const { target, digest } = publication;
  const state = {
    target,
    externalId: answer.ok ? answer.value : (known?.externalId ?? ''),
    digest,
    status: answer.ok ? ('published' as const) : ('refused' as const),
    viewPosition: view.position,
  };
  const { certainty } = parts;
  const detail = answer.ok ? '' : `${answer.failure.kind}: ${answer.failure.message}`;
  const isEnd = answer.ok && certainty !== 'waiting' && !(certainty === 'due' && view.reported);
  const final = isEnd ? publication.final : null;
  const isKnown = final === null && known?.digest === digest && known.externalId === state.externalId;
  if (certainty === 'due' && isKnown) return;
  await report(view, { ...state, detail: detail.slice(0, 1_000), final }, parts);
}
