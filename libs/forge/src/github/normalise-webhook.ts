import { refuse, type Change, type Refusal, type Repository } from '@delta-ci/contracts';
import type { z } from 'zod';
import { findServedRepository, type ForgeSettings } from '../settings.ts';
import {
  CheckRunPayload,
  MergeGroupPayload,
  PullRequestPayload,
  PushPayload,
  type PayloadRepository,
} from './webhook-payloads.ts';

/** What a delivery asks for, in our words. */
export type WebhookRequest =
  | { kind: 'run'; repository: Repository; change: Change; actor: string }
  | { kind: 'rerun'; runId: string; only: 'all' | 'failed'; repository: Repository; actor: string }
  | { kind: 'ignore'; reason: string };

export type NormalisedWebhook = { ok: true; request: WebhookRequest } | { ok: false; refusal: Refusal };

/** Pull request actions after which the head has to be evaluated. */
const PULL_REQUEST_ACTIONS = new Set(['opened', 'synchronize', 'reopened', 'ready_for_review']);
/** Authors the forge itself vouches for; everybody else's code is untrusted. */
const TRUSTED_ASSOCIATIONS = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);
const ZERO = /^0+$/;
const SKIP = /\[(?:skip ci|ci skip|no ci)\]/i;

/**
 * Translates a verified delivery. Identity is the forge's word (`sender.login`), never what a commit claims.
 * @param event the `X-GitHub-Event` header
 * @param payload the parsed body
 */
export function normaliseGitHubWebhook(event: string, payload: unknown, forge: ForgeSettings): NormalisedWebhook {
  switch (event) {
    case 'push':
      return understand(PushPayload, payload, forge, onPush);
    case 'pull_request':
      return understand(PullRequestPayload, payload, forge, onPullRequest);
    case 'merge_group':
      return understand(MergeGroupPayload, payload, forge, onMergeGroup);
    case 'check_run':
      return understand(CheckRunPayload, payload, forge, onCheckRun);
    case 'ping':
      return ignore('ping: the webhook works');
    default:
      return ignore(`events of type ${event.slice(0, 60)} do not start runs`);
  }
}

type Understood<P> = (payload: P, repository: Repository) => WebhookRequest;

function understand<P extends { repository: PayloadRepository }>(
  schema: z.ZodType<P>,
  payload: unknown,
  forge: ForgeSettings,
  translate: Understood<P>,
): NormalisedWebhook {
  const parsed = schema.safeParse(payload);
  if (!parsed.success) {
    const problems = parsed.error.issues.slice(0, 20).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    return {
      ok: false,
      refusal: refuse('unsupported_event', 'the payload does not have the shape of its event', { problems }),
    };
  }
  const id = `${forge.name}/${parsed.data.repository.full_name}`;
  const served = findServedRepository([forge], id);
  if (served === null) {
    return {
      ok: false,
      refusal: refuse('unknown_repository', `${id} is not served here: add it to the forge settings`, {
        repository: id,
      }),
    };
  }
  // The clone address is the one an operator wrote down, not the one a payload suggests.
  const repository: Repository = {
    id: served.repository.id,
    forge: forge.kind,
    fullName: parsed.data.repository.full_name,
    cloneUrl: served.repository.cloneUrl,
    defaultBranch: parsed.data.repository.default_branch,
  };
  return { ok: true, request: translate(parsed.data, repository) };
}

function ignore(reason: string): NormalisedWebhook {
  return { ok: true, request: { kind: 'ignore', reason } };
}

function onPush(payload: PushPayload, repository: Repository): WebhookRequest {
  const title = firstLine(payload.head_commit?.message ?? '');
  if (payload.deleted || ZERO.test(payload.after))
    return { kind: 'ignore', reason: firstLine(`${payload.ref} was deleted`) };
  if (payload.ref.startsWith('refs/tags/')) return { kind: 'ignore', reason: 'tags do not start runs' };
  if (!payload.ref.startsWith('refs/heads/'))
    return { kind: 'ignore', reason: firstLine(`${payload.ref} is not a branch`) };
  if (SKIP.test(payload.head_commit?.message ?? ''))
    return { kind: 'ignore', reason: 'the commit message asks to skip CI' };
  const change: Change = {
    kind: 'push',
    ref: payload.ref,
    base: ZERO.test(payload.before) ? null : payload.before,
    head: payload.after,
    targetRef: null,
    pullRequest: null,
    title,
    author: payload.sender.login,
    trust: 'trusted',
  };
  return { kind: 'run', repository, change, actor: payload.sender.login };
}

function onPullRequest(payload: PullRequestPayload, repository: Repository): WebhookRequest {
  const { pull_request: pull, action } = payload;
  if (!PULL_REQUEST_ACTIONS.has(action))
    return { kind: 'ignore', reason: `pull request was ${action}: nothing new to evaluate` };
  if (SKIP.test(pull.title)) return { kind: 'ignore', reason: 'the pull request title asks to skip CI' };
  const fork = pull.head.repo?.full_name !== repository.fullName;
  const vouched = TRUSTED_ASSOCIATIONS.has(pull.author_association);
  const change: Change = {
    kind: 'pull_request',
    ref: `refs/pull/${payload.number}/head`,
    base: pull.base.sha,
    head: pull.head.sha,
    targetRef: `refs/heads/${pull.base.ref}`,
    pullRequest: payload.number,
    title: firstLine(pull.title),
    author: pull.user.login,
    // A fork's code stays untrusted whoever opened the pull request: others can push to it later.
    trust: fork || !vouched ? 'untrusted' : 'trusted',
  };
  return { kind: 'run', repository, change, actor: payload.sender.login };
}

function onMergeGroup(payload: MergeGroupPayload, repository: Repository): WebhookRequest {
  if (payload.action !== 'checks_requested') return { kind: 'ignore', reason: `merge group was ${payload.action}` };
  const group = payload.merge_group;
  const change: Change = {
    kind: 'merge_group',
    ref: group.head_ref,
    base: group.base_sha,
    head: group.head_sha,
    targetRef: group.base_ref,
    pullRequest: null,
    title: firstLine(`merge group for ${group.base_ref}`),
    author: payload.sender.login,
    trust: 'trusted',
  };
  return { kind: 'run', repository, change, actor: payload.sender.login };
}

function onCheckRun(payload: CheckRunPayload, repository: Repository): WebhookRequest {
  const runId = /^(run_[0-9a-f]{32})(?:\.|$)/.exec(payload.check_run.external_id ?? '')?.[1];
  const actor = payload.sender.login;
  if (runId === undefined) return { kind: 'ignore', reason: 'the check is not one of ours' };
  if (payload.action === 'rerequested') return { kind: 'rerun', runId, only: 'all', repository, actor };
  if (payload.action === 'requested_action' && payload.requested_action?.identifier === 'rerun-failed') {
    return { kind: 'rerun', runId, only: 'failed', repository, actor };
  }
  return { kind: 'ignore', reason: `check run was ${payload.action}` };
}

/** As long as titles and reasons may be. */
const LINE_CHARS_MAX = 500;

/** Titles and reasons are for people: one line, bounded, and no half of a character where it was cut. */
function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, LINE_CHARS_MAX).toWellFormed();
}
