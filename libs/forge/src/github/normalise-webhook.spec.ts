import { describe, expect, it } from '@jest/globals';
import type { ForgeSettings } from '../settings.ts';
import { normaliseGitHubWebhook, type WebhookRequest } from './normalise-webhook.ts';

const FORGE: ForgeSettings = {
  kind: 'github',
  name: 'github',
  apiUrl: 'https://api.forge.example',
  webhookSecret: 'not-a-secret-webhook',
  token: null,
  cloneProtocols: ['https'],
  allowPrivateAddresses: false,
  repositories: [{ id: 'github/demo/shop', cloneUrl: 'https://forge.example/demo/shop.git', defaultBranch: 'main' }],
  sourceTokens: new Map(),
};

const BASE = 'a'.repeat(40);
const HEAD = 'b'.repeat(40);
const ZERO = '0'.repeat(40);
const repository = { full_name: 'demo/shop', clone_url: 'https://elsewhere.example/x.git', default_branch: 'main' };
const sender = { login: 'ada' };

const push = (over: object = {}): object => ({
  ref: 'refs/heads/main',
  before: BASE,
  after: HEAD,
  deleted: false,
  created: false,
  repository,
  sender,
  head_commit: { message: 'add a cart\n\nand more' },
  ...over,
});

const pull = (over: object = {}, action = 'opened'): object => ({
  action,
  number: 7,
  pull_request: {
    title: 'Add a cart',
    author_association: 'MEMBER',
    user: { login: 'grace' },
    head: { ref: 'cart', sha: HEAD, repo: { full_name: 'demo/shop' } },
    base: { ref: 'main', sha: BASE, repo: { full_name: 'demo/shop' } },
    ...over,
  },
  repository,
  sender,
});

const check = (over: object = {}): object => ({
  action: 'rerequested',
  check_run: { external_id: `run_${'1'.repeat(32)}.unit`, head_sha: HEAD },
  repository,
  sender,
  ...over,
});

function requestOf(event: string, payload: unknown): WebhookRequest {
  const normalised = normaliseGitHubWebhook(event, payload, FORGE);
  if (!normalised.ok) throw new Error(normalised.refusal.message);
  return normalised.request;
}

describe('deliveries of GitHub in our words', () => {
  it('given a push, then it is a run of a trusted change, cloned from where the operator said', () => {
    expect(requestOf('push', push())).toEqual({
      kind: 'run',
      actor: 'ada',
      repository: {
        id: 'github/demo/shop',
        forge: 'github',
        fullName: 'demo/shop',
        cloneUrl: 'https://forge.example/demo/shop.git',
        defaultBranch: 'main',
      },
      change: {
        kind: 'push',
        ref: 'refs/heads/main',
        base: BASE,
        head: HEAD,
        targetRef: null,
        pullRequest: null,
        title: 'add a cart',
        author: 'ada',
        trust: 'trusted',
      },
    });
  });

  it('given a new branch, then there is nothing to compare with', () => {
    expect(requestOf('push', push({ before: ZERO, created: true }))).toMatchObject({ change: { base: null } });
  });

  it('given a commit that claims another author, then the forge’s word about the sender holds', () => {
    const spoofed = { message: 'x', author: { name: 'root', username: 'admin' }, committer: { username: 'admin' } };
    expect(requestOf('push', push({ head_commit: spoofed, pusher: { name: 'admin' } }))).toMatchObject({
      actor: 'ada',
      change: { author: 'ada' },
    });
  });

  it.each<[string, string, object, string]>([
    ['a deleted branch', 'push', push({ after: ZERO, deleted: true, head_commit: null }), 'was deleted'],
    ['a zero head', 'push', push({ after: ZERO, head_commit: null }), 'was deleted'],
    ['a tag', 'push', push({ ref: 'refs/tags/v1' }), 'tags do not start runs'],
    ['a note', 'push', push({ ref: 'refs/notes/commits' }), 'is not a branch'],
    ['[skip ci]', 'push', push({ head_commit: { message: 'docs [skip ci]' } }), 'asks to skip CI'],
    ['[CI SKIP] further down', 'push', push({ head_commit: { message: 'docs\n\n[CI SKIP]' } }), 'asks to skip CI'],
    ['a title with [no ci]', 'pull_request', pull({ title: 'docs [no ci]' }), 'asks to skip CI'],
    ['a closed pull request', 'pull_request', pull({}, 'closed'), 'nothing new to evaluate'],
    ['a ping', 'ping', {}, 'the webhook works'],
    ['an event of another kind', 'star', {}, 'do not start runs'],
    [
      'a check of somebody else',
      'check_run',
      check({ check_run: { external_id: 'theirs', head_sha: HEAD } }),
      'not one of ours',
    ],
    [
      'a check without an id',
      'check_run',
      check({ check_run: { external_id: null, head_sha: HEAD } }),
      'not one of ours',
    ],
    ['a check that was created', 'check_run', check({ action: 'created' }), 'check run was created'],
  ])('given %s, then it is ignored and says why', (_what, event, payload, reason) => {
    expect(requestOf(event, payload)).toEqual({ kind: 'ignore', reason: expect.stringContaining(reason) });
  });

  it.each<[string, object, 'trusted' | 'untrusted']>([
    ['a member’s branch', {}, 'trusted'],
    ['a collaborator’s branch', { author_association: 'COLLABORATOR' }, 'trusted'],
    ['a first-time contributor', { author_association: 'FIRST_TIME_CONTRIBUTOR' }, 'untrusted'],
    ['a contributor', { author_association: 'CONTRIBUTOR' }, 'untrusted'],
    ['a word nobody knows', { author_association: 'owner' }, 'untrusted'],
    [
      'an owner’s fork',
      { author_association: 'OWNER', head: { ref: 'main', sha: HEAD, repo: { full_name: 'owner/shop' } } },
      'untrusted',
    ],
    [
      'a fork that was deleted',
      { author_association: 'OWNER', head: { ref: 'main', sha: HEAD, repo: null } },
      'untrusted',
    ],
  ])('given a pull request from %s, then its trust is decided by place and association', (_what, over, trust) => {
    expect(requestOf('pull_request', pull(over))).toMatchObject({
      kind: 'run',
      actor: 'ada',
      change: { kind: 'pull_request', ref: 'refs/pull/7/head', targetRef: 'refs/heads/main', author: 'grace', trust },
    });
  });

  it.each(['opened', 'synchronize', 'reopened', 'ready_for_review'])(
    'given a pull request that was %s, then it runs',
    (action) => {
      expect(requestOf('pull_request', pull({}, action)).kind).toBe('run');
    },
  );

  it('given a merge group, then it runs for the target', () => {
    const group = {
      head_sha: HEAD,
      head_ref: 'refs/heads/gh-readonly-queue/main/x',
      base_sha: BASE,
      base_ref: 'refs/heads/main',
    };
    const payload = { action: 'checks_requested', merge_group: group, repository, sender };
    expect(requestOf('merge_group', payload)).toMatchObject({ kind: 'run', change: { targetRef: 'refs/heads/main' } });
    expect(requestOf('merge_group', { ...payload, action: 'destroyed' }).kind).toBe('ignore');
  });

  it('given a button on a check of ours, then it is a rerun of all, or of what failed', () => {
    const runId = `run_${'1'.repeat(32)}`;
    expect(requestOf('check_run', check())).toMatchObject({ kind: 'rerun', runId, only: 'all', actor: 'ada' });
    const pressed = check({ action: 'requested_action', requested_action: { identifier: 'rerun-failed' } });
    expect(requestOf('check_run', pressed)).toMatchObject({ kind: 'rerun', runId, only: 'failed' });
  });

  it.each(['demo/other', 'demo/shop/../admin', 'DEMO/SHOP'])(
    'given the repository %s, then it is not served',
    (name) => {
      const payload = push({ repository: { ...repository, full_name: name } });
      expect(normaliseGitHubWebhook('push', payload, FORGE)).toMatchObject({
        ok: false,
        refusal: { code: 'unknown_repository' },
      });
    },
  );

  it.each<[string, unknown]>([
    ['no object', 'text'],
    ['null', null],
    ['nothing', {}],
    ['a short head', push({ after: 'abc' })],
    ['a head that is an option', push({ after: '--upload-pack=x' })],
    ['a ref of the wrong type', push({ ref: 7 })],
    ['an endless ref', push({ ref: `refs/heads/${'x'.repeat(2_000)}` })],
    ['no sender', push({ sender: null })],
  ])('given a payload with %s, then it is refused with the places', (_what, payload) => {
    expect(normaliseGitHubWebhook('push', payload, FORGE)).toMatchObject({
      ok: false,
      refusal: { code: 'unsupported_event' },
    });
  });

  it('given an endless message, then the title is one bounded line', () => {
    const request = requestOf('push', push({ head_commit: { message: `${'x'.repeat(5_000)}\nmore` } }));
    expect(request.kind === 'run' && request.change.title).toBe('x'.repeat(500));
  });
});

describe('texts that are cut to a length', () => {
  it('given a title with a character of two halves where it is cut, then no half is left', () => {
    const request = requestOf('push', push({ head_commit: { message: `${'a'.repeat(499)}\u{1f600}` } }));
    const title = request.kind === 'run' ? request.change.title : '';
    expect(title).toHaveLength(500);
    expect(title.isWellFormed()).toBe(true);
  });

  it('given the longest refs there can be, then reasons and titles stay within what is recorded', () => {
    const ref = `refs/heads/${'x'.repeat(980)}`;
    const group = { head_sha: HEAD, head_ref: ref, base_sha: BASE, base_ref: ref };
    const merge = requestOf('merge_group', { action: 'checks_requested', merge_group: group, repository, sender });
    const texts = [
      requestOf('push', push({ ref, deleted: true })),
      requestOf('push', push({ ref: `refs/notes/${'x'.repeat(980)}` })),
      merge,
    ].map((request) =>
      request.kind === 'run' ? request.change.title : request.kind === 'ignore' ? request.reason : '',
    );
    expect(texts.map((text) => text.length)).toEqual([500, 500, 500]);
  });
});
