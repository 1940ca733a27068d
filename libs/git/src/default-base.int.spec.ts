import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { TemporaryPlaces, valueOf, type MadeRepository } from './made-repository.fixture.ts';
import { OpenedRepositories } from './opened-repositories.fixture.ts';

const places = new TemporaryPlaces();
const opened = new OpenedRepositories();
afterEach(() => opened.closeAll());
afterAll(() => places.removeAll());

describe('the default base', () => {
  async function baseOf(made: MadeRepository, differentFromHead = true): Promise<unknown> {
    return valueOf(await (await opened.open(made)).defaultBase({ differentFromHead }));
  }

  it('given one commit alone, then nothing is before it; given two, then the first parent is the base', async () => {
    const made = await places.repository();
    const first = made.commitAll('one');
    expect(await baseOf(made)).toEqual({ commit: null, origin: 'nothing_before' });
    made.commitAll('two');
    expect(await baseOf(made)).toEqual({ commit: first, origin: 'first_parent' });
  });

  it('given uncommitted changes on main, then the head itself is the base', async () => {
    const made = await places.repository();
    const head = made.commitAll('one');
    expect(await baseOf(made, false)).toEqual({ commit: head, origin: 'main_branch', ref: 'refs/heads/main' });
  });

  it('given a branch of main, then where it left main is the base', async () => {
    const made = await places.repository();
    const fork = made.commitAll('one');
    made.git(['checkout', '--quiet', '-b', 'topic']);
    made.commitAll('two');
    made.commitAll('three');
    made.git(['checkout', '--quiet', 'main']);
    made.commitAll('meanwhile');
    made.git(['checkout', '--quiet', 'topic']);
    expect(await baseOf(made)).toEqual({ commit: fork, origin: 'main_branch', ref: 'refs/heads/main' });
  });

  it('given a clone, then the remote default counts; given a pushed copy of the branch, then it does not', async () => {
    const origin = await places.repository();
    const fork = origin.commitAll('one');
    const made = await places.clone(origin);
    made.git(['checkout', '--quiet', '-b', 'topic']);
    made.commitAll('two');
    const expected = { commit: fork, origin: 'remote_default', ref: 'refs/remotes/origin/main' };
    expect(await baseOf(made)).toEqual(expected);
    made.git(['push', '--quiet', '--set-upstream', 'origin', 'topic']);
    made.commitAll('three');
    expect(await baseOf(made)).toEqual(expected);
  });

  it('given an upstream with another name, then it is the base before the remote default', async () => {
    const origin = await places.repository();
    origin.commitAll('one');
    origin.git(['checkout', '--quiet', '-b', 'release']);
    const released = origin.commitAll('released');
    origin.git(['checkout', '--quiet', 'main']);
    const made = await places.clone(origin);
    made.git(['checkout', '--quiet', '-b', 'fix', '--track', 'origin/release']);
    made.commitAll('fix');
    expect(await baseOf(made)).toEqual({ commit: released, origin: 'upstream', ref: 'refs/remotes/origin/release' });
  });

  it('given a pushed branch and nothing else to go by, then its copy is better than nothing', async () => {
    const origin = await places.repository('--initial-branch=trunk');
    const pushed = origin.commitAll('one');
    const made = await places.clone(origin);
    made.git(['remote', 'set-head', 'origin', '--delete']);
    made.commitAll('two');
    made.commitAll('three');
    expect(await baseOf(made)).toEqual({ commit: pushed, origin: 'pushed_copy', ref: 'refs/remotes/origin/trunk' });
  });

  it('given a detached head in a shallow clone, then what is not there is not named', async () => {
    const origin = await places.repository('--initial-branch=trunk');
    origin.commitAll('one');
    origin.commitAll('two');
    const made = await places.clone(origin, '--depth=1');
    made.git(['checkout', '--quiet', '--detach']);
    made.git(['remote', 'remove', 'origin']);
    expect(await baseOf(made)).toEqual({ commit: null, origin: 'nothing_before' });
  });
});
