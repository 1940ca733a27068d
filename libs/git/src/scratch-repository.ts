import { appendFile, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { done, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import type { ConfigSetting } from './hygiene.ts';
import { makeProcessDirectory, removeForsakenDirectories } from './process-directory.ts';
import { hasErrorCode } from './system-error.ts';

const PREFIX = 'delta-git';

/** A repository to borrow objects from. */
export interface Lender {
  readonly gitDir: string;
}

/** Quotes a path for a list of alternates, where `#` and quotes have a meaning at the beginning of a line. */
function quotedLine(path: string): string {
  const escaped = path
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
  return `"${escaped}"\n`;
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

/**
 * A throw-away repository that sees the objects of another one and writes only into itself: its own index, its own
 * configuration, no hooks, and attributes that switch off every filter. Lies in the directory for temporary files; what
 * killed processes left there goes with the next one that is made.
 */
export class ScratchRepository {
  readonly directory: string;
  readonly gitDir: string;
  readonly indexFile: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.gitDir = join(directory, 'scratch.git');
    this.indexFile = join(directory, 'index');
  }

  /** Makes one beside `lender`. The caller closes it. */
  static async beside(git: Git, lender: Lender): Promise<GitResult<ScratchRepository>> {
    await removeForsakenDirectories(tmpdir(), PREFIX);
    const scratch = new ScratchRepository(await makeProcessDirectory(tmpdir(), PREFIX));
    const ready = await scratch.prepare(git, lender);
    if (ready.ok) return done(scratch);
    await scratch.close();
    return ready;
  }

  /** Where and how commands on this repository run. */
  at(
    more: { workTree?: string; config?: readonly ConfigSetting[] } & Pick<GitContext, 'timeLimitMs' | 'signal'>,
  ): GitContext {
    return { gitDir: this.gitDir, indexFile: this.indexFile, ...more };
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  private async prepare(git: Git, lender: Lender): Promise<GitResult<void>> {
    const lent = { gitDir: lender.gitDir };
    const format = await git.line({ command: 'rev-parse', flags: ['--show-object-format'] }, lent);
    if (!format.ok) return format;
    const objects = await git.line({ command: 'rev-parse', flags: ['--git-path', 'objects'] }, lent);
    if (!objects.ok) return objects;
    const shallow = await git.line({ command: 'rev-parse', flags: ['--git-path', 'shallow'] }, lent);
    if (!shallow.ok) return shallow;
    const flags = ['--bare', '--quiet', '--template=', `--object-format=${format.value}`];
    const made = await git.run({ command: 'init', flags, operands: [this.gitDir] });
    if (!made.ok) return made;
    await mkdir(join(this.gitDir, 'info'), { recursive: true });
    await mkdir(join(this.gitDir, 'objects', 'info'), { recursive: true });
    await appendFile(join(this.gitDir, 'objects', 'info', 'alternates'), quotedLine(objects.value));
    await writeFile(join(this.gitDir, 'info', 'attributes'), '* -filter\n');
    await copyIfThere(shallow.value, join(this.gitDir, 'shallow'));
    return done(undefined);
  }
}
