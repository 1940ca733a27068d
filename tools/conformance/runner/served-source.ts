import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceAccess } from '@delta-ci/contracts';
import { DeveloperClone, git } from '../../../test/support/git-server/bare-repository.ts';
import { PrivateForge } from '../../../test/support/git-server/private-forge.ts';

/** What the tested commit says that later ones do not. */
export const WIDGET = 'the widget of the tested commit';
export const INNER = 'a file in a folder';

/**
 * A real repository behind real HTTP: an open one, and one for those who show a token. Its branch has moved on behind the
 * tested commit.
 */
export class ServedSource {
  /** Reads the private repository. */
  readonly token = `fake-source-${randomBytes(12).toString('hex')}`;
  readonly #directory: string;
  readonly #forge: PrivateForge;
  readonly #tested = new Map<string, Pick<SourceAccess, 'commit' | 'tree'>>();

  private constructor(directory: string, forge: PrivateForge) {
    this.#directory = directory;
    this.#forge = forge;
  }

  static async open(): Promise<ServedSource> {
    const directory = await mkdtemp(join(tmpdir(), 'delta-conformance-source-'));
    const source = new ServedSource(directory, await PrivateForge.over(directory));
    await source.#fill();
    return source;
  }

  /** Where the tested commit is, and what opens the repository. */
  access(name: 'public' | 'private'): SourceAccess {
    const { commit = '', tree = '' } = this.#tested.get(name) ?? {};
    const token = name === 'private' ? this.token : null;
    return { cloneUrl: `${this.#forge.url}/demo/${name}.git`, ref: 'refs/heads/main', commit, tree, token };
  }

  async close(): Promise<void> {
    await this.#forge.end();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #fill(): Promise<void> {
    for (const name of ['public', 'private']) {
      const bare = join(this.#directory, 'demo', `${name}.git`);
      const developer = await DeveloperClone.create(bare, bare, this.#directory);
      const files = { 'widget.txt': `${WIDGET}\n`, 'folder/inner.txt': `${INNER}\n` };
      const { after } = await developer.push('main', 'tested', files);
      this.#tested.set(name, { commit: after, tree: await git(developer.directory, 'rev-parse', `${after}^{tree}`) });
      await developer.push('main', 'later', { 'widget.txt': 'a later widget\n' });
      await developer.remove();
    }
    this.#forge.makePrivate('demo/private', this.token);
  }
}
