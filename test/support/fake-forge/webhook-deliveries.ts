import { createHmac, randomUUID } from 'node:crypto';
import type { Commit } from '../git-server/bare-repository.ts';

export interface Delivery {
  id: string;
  event: string;
  body: string;
}

export interface DeliveryAnswer {
  status: number;
  /** Of a refusal: when to come back, in seconds. */
  retryAfter: string | null;
  body: unknown;
}

/** The parts of GitHub's payloads that matter, in its shape. */
export function pushDelivery(fullName: string, cloneUrl: string, commit: Commit, sender = 'octocat'): Delivery {
  const zero = /^0+$/;
  return delivery('push', {
    ref: commit.ref,
    before: commit.before,
    after: commit.after,
    created: zero.test(commit.before),
    deleted: zero.test(commit.after),
    forced: false,
    repository: repository(fullName, cloneUrl),
    sender: { login: sender, id: 1, type: 'User' },
    head_commit: { id: commit.after, message: commit.message, author: { name: 'Demo', email: 'demo@example.invalid' } },
  });
}

export interface PullRequestFacts {
  number: number;
  action: string;
  title: string;
  head: { sha: string; ref: string; fullName: string };
  base: { sha: string; ref: string };
  association: string;
  sender: string;
}

export function pullRequestDelivery(fullName: string, cloneUrl: string, pull: PullRequestFacts): Delivery {
  return delivery('pull_request', {
    action: pull.action,
    number: pull.number,
    pull_request: {
      title: pull.title,
      draft: false,
      author_association: pull.association,
      user: { login: pull.sender },
      head: { ref: pull.head.ref, sha: pull.head.sha, repo: { full_name: pull.head.fullName } },
      base: { ref: pull.base.ref, sha: pull.base.sha, repo: { full_name: fullName } },
    },
    repository: repository(fullName, cloneUrl),
    sender: { login: pull.sender },
  });
}

/** Signs and sends a delivery as GitHub does. The same delivery may be sent again: GitHub has a button for it. */
export async function deliver(
  webhookUrl: string,
  secret: string,
  { id, event, body }: Delivery,
): Promise<DeliveryAnswer> {
  const response = await fetch(webhookUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/fake',
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
    body,
  });
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, retryAfter, body: await response.json().catch(() => null) };
}

function delivery(event: string, payload: object): Delivery {
  return { id: randomUUID(), event, body: JSON.stringify(payload) };
}

function repository(fullName: string, cloneUrl: string): object {
  const [owner, name] = fullName.split('/');
  return {
    id: 1,
    name,
    full_name: fullName,
    private: false,
    clone_url: cloneUrl,
    default_branch: 'main',
    owner: { login: owner },
  };
}
