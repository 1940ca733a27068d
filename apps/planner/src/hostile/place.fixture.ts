import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Change, Plan } from '@delta-ci/contracts';
import { git } from '../../../../test/support/git-server/bare-repository.ts';
import { makeHistory, type MadeTree } from '../../../../test/support/git-server/made-history.ts';
import { writeObject, writeTree, type TreeLine } from '../../../../test/support/git-server/made-objects.ts';

/** What a hostile repository has to lead to: a refusal by one of these names, or a plan that is right. */
export interface Expected {
  readonly refused: readonly string[];
  /** What is wrong with the plan; null where there can be none. */
  readonly planned: ((plan: Plan) => readonly string[]) | null;
}

export const refused = (...names: readonly string[]): Expected => ({ refused: names, planned: null });

export const planned = (wrong: (plan: Plan) => readonly string[]): Expected => ({ refused: [], planned: wrong });

/** At least these jobs run. */
export const runs = (...keys: readonly string[]): Expected =>
  planned(({ jobs }) => {
    const running = new Set(jobs.map(({ key }) => key));
    return keys.filter((key) => !running.has(key)).map((key) => `${key} does not run`);
  });

/** Everything that the shop has to run is run. */
export const everythingRuns = runs('test-packages-cart', 'test-packages-greeting', 'test-packages-money');

/** Units that are new, and have nothing to run. */
export const affects = (...ids: readonly string[]): Expected =>
  planned(({ units }) => {
    const affected = new Set(units.filter((unit) => unit.affected).map(({ id }) => id));
    return ids.filter((id) => !affected.has(id)).map((id) => `${id} is not affected`);
  });

/** What is wrong with what a hostile repository led to. */
export function wrongWith({ refused: names, planned: wrong }: Expected, answer: Plan | string): readonly string[] {
  if (typeof answer === 'string') return names.includes(answer) ? [] : [`it is refused as ${answer}`];
  return wrong === null ? ['there is a plan'] : wrong(answer);
}

export interface Hostile {
  /** Makes the objects and answers the commit that is to be tested. */
  readonly make: (place: HostilePlace) => Promise<string>;
  readonly expected: Expected;
  readonly change?: Partial<Change>;
}

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const packageOf = (name: string, more: Readonly<Record<string, unknown>> = {}): string =>
  text({ name: `@shop/${name}`, scripts: { test: 'node --test' }, ...more });

/** A shop in which nobody means any harm. */
export const INNOCENT: MadeTree = {
  'package.json': text({ name: 'shop', private: true, workspaces: ['packages/*'] }),
  'packages/money/package.json': packageOf('money'),
  'packages/money/src/index.js': 'export const add = (...cents) => cents.reduce((a, b) => a + b, 0);\n',
  'packages/cart/package.json': packageOf('cart', { dependencies: { '@shop/money': '*' } }),
  'packages/cart/src/index.js': "import { add } from '@shop/money';\n",
  'packages/greeting/package.json': packageOf('greeting'),
};

/** A bare repository, and the commit that hostile ones follow. */
export class HostilePlace {
  readonly gitDir: string;
  readonly base: string;

  private constructor(gitDir: string, base: string) {
    this.gitDir = gitDir;
    this.base = base;
  }

  static async in(gitDir: string): Promise<HostilePlace> {
    const [base = ''] = await makeHistory(gitDir, [{ tree: INNOCENT }]);
    return new HostilePlace(gitDir, base);
  }

  /** Harmless changes of money, which cart is made of. */
  async innocents(count: number): Promise<string[]> {
    const trees = Array.from({ length: count }, (_, at): MadeTree => ({
      ...INNOCENT,
      'packages/money/src/index.js': `export const add = () => ${at};\n`,
    }));
    return makeHistory(
      this.gitDir,
      trees.map((tree) => ({ tree, parents: [this.base] })),
    );
  }

  /** A commit on top of the innocent one, with these entries besides its own or in their place. */
  async commit(edits: MadeTree): Promise<string> {
    const [commit = ''] = await makeHistory(this.gitDir, [{ tree: { ...INNOCENT, ...edits }, parents: [this.base] }]);
    return commit;
  }

  /** A commit of a tree that no other tool would make. */
  async commitTree(tree: string): Promise<string> {
    const who = 'Demo <demo@example.invalid> 1700000000 +0000';
    const header = `tree ${tree}\nparent ${this.base}\nauthor ${who}\ncommitter ${who}\n\nhostile\n`;
    return writeObject(this.gitDir, 'commit', header);
  }

  async blob(content: string): Promise<string> {
    return writeObject(this.gitDir, 'blob', content);
  }

  /** A blob of so many bytes, all of them zero: a few of them make a packed mebibyte. */
  async zeros(bytes: number): Promise<string> {
    const file = join(this.gitDir, `zeros-${bytes}`);
    await writeFile(file, '');
    await truncate(file, bytes);
    return git(this.gitDir, '-c', 'core.compression=1', 'hash-object', '-w', '--no-filters', file);
  }

  /** A tree of the innocent commit's entries and these, whatever their names; each with the bytes of its name. */
  async tree(entries: readonly TreeLine[], { alone = false } = {}): Promise<string> {
    const own = alone ? '' : await git(this.gitDir, 'ls-tree', `${this.base}^{tree}`);
    const lines = own
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [, mode = '', id = '', name = ''] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/u.exec(line) ?? [];
        return { mode, id, name };
      });
    return writeTree(this.gitDir, [...lines, ...entries]);
  }
}
