import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { git } from '../../../test/support/git-server/bare-repository.ts';
import { makeBareRepository, makeHistory } from '../../../test/support/git-server/made-history.ts';
import { parseCloneUrl } from './clone-url.ts';
import { fetchCommit, type CommitFetch } from './fetch-commit.ts';
import { Git } from './git.ts';
import { errorOf, valueOf } from './made-repository.fixture.ts';
import { ServedRepositories } from './served-repositories.fixture.ts';

const BY = new Git({ environment: { PATH: process.env['PATH'] } });

let place: string;
let served: ServedRepositories;
let commits: string[];
let gitDir: string;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-fetch-'));
  const bare = join(place, 'widgets.git');
  await makeBareRepository(bare);
  commits = await makeHistory(
    bare,
    Array.from({ length: 60 }, (_, at) => ({ tree: { 'widget.txt': `${at}\n` } })),
  );
  const others = (await git(bare, 'for-each-ref', '--format=%(refname)', 'refs/heads/made')).split('\n');
  await git(bare, 'update-ref', 'refs/heads/main', commits.at(-1) ?? '');
  await git(bare, 'update-ref', 'refs/heads/old', commits[3] ?? '');
  for (const ref of others) await git(bare, 'update-ref', '-d', ref);
  served = await ServedRepositories.of(place);
});
afterAll(async () => {
  await served.close();
  await rm(place, { recursive: true, force: true });
});
beforeEach(async () => {
  served.intercept = () => false;
  gitDir = await mkdtemp(join(place, 'into-'));
});

/** A server of the older protocol, which gives only what a ref points at. */
async function givingNothingById(yes: boolean): Promise<void> {
  await git(join(place, 'widgets.git'), 'config', 'uploadpack.allowAnySHA1InWant', String(!yes));
  served.intercept = ({ headers }) => {
    if (yes) delete headers['git-protocol'];
    return false;
  };
}

const fetching = (over: Partial<CommitFetch>) =>
  fetchCommit(BY, {
    access: { remote: valueOf(parseCloneUrl(served.url('widgets.git'), ['http'])), addressPolicy: { kind: 'any' } },
    commit: commits[30] ?? '',
    ref: null,
    gitDir,
    maxBytes: 10_000_000,
    timeLimitMs: 60_000,
    signal: new AbortController().signal,
    ...over,
  });

const count = async (commit: string): Promise<string> => git(gitDir, 'rev-list', '--count', commit);

describe('one commit by git', () => {
  it('given a server that gives commits by their ids, then this one alone comes, whatever refs there are', async () => {
    await givingNothingById(false);
    valueOf(await fetching({}));
    expect(await count(commits[30] ?? '')).toBe('1');
    expect(await git(gitDir, 'for-each-ref')).toBe('');
  });

  it('given one that does not, when the ref is there still, then it comes by its name, alone', async () => {
    await givingNothingById(true);
    valueOf(await fetching({ commit: commits.at(-1) ?? '', ref: 'refs/heads/main' }));
    expect(await count(commits.at(-1) ?? '')).toBe('1');
  });

  it('given one that does not, when the ref has moved on, then the commit is found behind it', async () => {
    await givingNothingById(true);
    valueOf(await fetching({ ref: 'refs/heads/main' }));
    expect(await git(gitDir, 'show', `${commits[30]}:widget.txt`)).toBe('30');
  });

  it('given one that does not, when the commit is not behind the ref, or no ref is known, then that is the error', async () => {
    await givingNothingById(true);
    expect(errorOf(await fetching({ ref: 'refs/heads/old' }))).toBe('commit_not_found');
    expect(errorOf(await fetching({ ref: null }))).toBe('commit_not_found');
    expect(errorOf(await fetching({ ref: 'refs/heads/gone' }))).toBe('ref_not_found');
    expect(errorOf(await fetching({ ref: '--upload-pack=x' }))).toBe('invalid_ref');
  });

  it('given more than may come, then that is the error', async () => {
    await givingNothingById(false);
    expect(errorOf(await fetching({ maxBytes: 10 }))).toBe('repository_too_large');
  });
});
