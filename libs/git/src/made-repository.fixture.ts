import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GitResult } from './git-error.ts';

/** Real repositories for tests, made with plain git in temporary directories. */

const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_AUTHOR_NAME: 'Test Author',
  GIT_AUTHOR_EMAIL: 'author@example.invalid',
  GIT_COMMITTER_NAME: 'Test Committer',
  GIT_COMMITTER_EMAIL: 'committer@example.invalid',
  GIT_AUTHOR_DATE: '1700000000 +0100',
  GIT_COMMITTER_DATE: '1700000000 +0100',
};

/** What tests hand to `new Git`: enough to find the program, and no user's configuration. */
export const TEST_ENVIRONMENT = { PATH: ENVIRONMENT.PATH, HOME: '/nonexistent' };

export class MadeRepository {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get gitDir(): string {
    return join(this.root, '.git');
  }

  /** Runs git there and returns what it wrote, without the last line end. */
  git(args: readonly string[], input?: string | Buffer): string {
    const answer = execFileSync('git', args, {
      cwd: this.root,
      env: ENVIRONMENT,
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return answer.toString('utf8').replace(/\n$/u, '');
  }

  async write(path: string | Buffer, content: string | Buffer): Promise<void> {
    const whole = Buffer.concat([Buffer.from(`${this.root}/`), Buffer.from(path)]);
    const slash = whole.lastIndexOf(0x2f);
    await mkdir(whole.subarray(0, slash), { recursive: true });
    await writeFile(whole, content);
  }

  /** Commits everything that lies there and returns the commit's id. */
  commitAll(message: string): string {
    this.git(['add', '--all']);
    this.git(['commit', '--quiet', '--allow-empty', '--message', message]);
    return this.git(['rev-parse', 'HEAD']);
  }
}

/** Directories of one test file; `removeAll` belongs into `afterAll`. */
export class TemporaryPlaces {
  private readonly made: string[] = [];

  async directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'delta-git-test-'));
    this.made.push(path);
    return path;
  }

  async repository(...initFlags: string[]): Promise<MadeRepository> {
    const root = join(await this.directory(), 'repository');
    await mkdir(root);
    const made = new MadeRepository(root);
    made.git(['init', '--quiet', '--initial-branch=main', ...initFlags]);
    return made;
  }

  async clone(source: MadeRepository, ...flags: string[]): Promise<MadeRepository> {
    const root = join(await this.directory(), 'clone');
    new MadeRepository(dirname(root)).git(['clone', '--quiet', ...flags, `file://${source.root}`, root]);
    return new MadeRepository(root);
  }

  async removeAll(): Promise<void> {
    await Promise.all(this.made.splice(0).map((path) => rm(path, { recursive: true, force: true })));
  }
}

/** The value of a result that must be one. */
export function valueOf<T>(result: GitResult<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}\n${result.error.stderr ?? ''}`);
  return result.value;
}

/** The name of the error of a result that must be one. */
export function errorOf<T>(result: GitResult<T>): string {
  if (result.ok) throw new Error(`expected an error, got ${JSON.stringify(result.value)}`);
  return result.error.code;
}
