import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Nothing of the machine's own git configuration, and an author who is nobody. */
export const GIT_ENV = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Demo',
  GIT_AUTHOR_EMAIL: 'demo@example.invalid',
  GIT_COMMITTER_NAME: 'Demo',
  GIT_COMMITTER_EMAIL: 'demo@example.invalid',
};

/** Paths and new contents; null deletes the file. */
export type FileChanges = Readonly<Record<string, string | null>>;

export interface Commit {
  /** Full ref it was pushed to. */
  ref: string;
  before: string;
  after: string;
  message: string;
}

/** Runs git in `directory` and answers what it printed. @throws Error with git's own words. */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('git', args, { cwd: directory, env: GIT_ENV, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** The setting by which git takes names and passwords from a file of `git credential-store`. */
export const credentialHelper = (file: string): string => `store --file="${file}"`;

const ZERO = '0'.repeat(40);

/** Makes a bare repository that takes pushes over HTTP; one that is there stays as it is. */
export async function openBareRepository(barePath: string): Promise<void> {
  await mkdir(dirname(barePath), { recursive: true });
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', barePath], { env: GIT_ENV });
  await git(barePath, 'config', 'http.receivepack', 'true');
  // Forges let clients fetch any commit they can name.
  await git(barePath, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
}

/** A bare repository that takes pushes over HTTP, and a work tree of somebody who pushes to it. */
export class DeveloperClone {
  readonly directory: string;
  readonly #remote: string;

  private constructor(directory: string, remote: string) {
    this.directory = directory;
    this.#remote = remote;
  }

  /**
   * Makes the bare repository at `barePath` (replacing one that is there) and a clone of it.
   * @param parent where the clone is put
   * @param credentials a file of `git credential-store` with what the remote asks for
   */
  static async create(
    barePath: string,
    remoteUrl: string,
    parent = tmpdir(),
    credentials: string | null = null,
  ): Promise<DeveloperClone> {
    await rm(barePath, { recursive: true, force: true });
    await openBareRepository(barePath);
    const directory = await mkdtemp(join(parent, 'delta-clone-'));
    await git(directory, 'init', '--quiet', '--initial-branch=main');
    await git(directory, 'remote', 'add', 'origin', remoteUrl);
    if (credentials !== null) await git(directory, 'config', 'credential.helper', credentialHelper(credentials));
    return new DeveloperClone(directory, remoteUrl);
  }

  /** Commits the changes on `branch` (made from the present commit if new) and pushes it. */
  async push(branch: string, message: string, changes: FileChanges): Promise<Commit> {
    await this.#switchTo(branch);
    for (const [path, content] of Object.entries(changes)) await this.#write(path, content);
    await git(this.directory, 'add', '--all');
    await git(this.directory, 'commit', '--quiet', '--allow-empty', '--message', message);
    const ref = `refs/heads/${branch}`;
    const before = (await git(this.directory, 'ls-remote', this.#remote, ref)).split('\t')[0] || ZERO;
    await git(this.directory, 'push', '--quiet', '--force', 'origin', `HEAD:${ref}`);
    return { ref, before, after: await git(this.directory, 'rev-parse', 'HEAD'), message };
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async #switchTo(branch: string): Promise<void> {
    const current = await git(this.directory, 'symbolic-ref', '--short', 'HEAD');
    if (current === branch) return;
    const known = await git(this.directory, 'branch', '--list', branch);
    await git(this.directory, 'switch', '--quiet', ...(known === '' ? ['--create'] : []), branch);
  }

  async #write(path: string, content: string | null): Promise<void> {
    const file = join(this.directory, path);
    if (content === null) return rm(file, { force: true });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
