import fc from 'fast-check';
import type { Files } from './planned-repository.fixture.ts';
import { json } from './shop.fixture.ts';
import { byText } from './tree-paths.ts';

/**
 * Random npm workspaces kept as a model: packages that depend on each other and on external ones in every way a manifest
 * knows, and what happens to them. The model says by itself what a test of a package can see, so that plans can be held
 * against something that knows nothing of planning.
 */

const KINDS = ['production', 'development', 'optional', 'peer'] as const;
type Kind = (typeof KINDS)[number];

const MEMBER_OF_KIND: Readonly<Record<Kind, string>> = {
  production: 'dependencies',
  development: 'devDependencies',
  optional: 'optionalDependencies',
  peer: 'peerDependencies',
};

interface Need {
  readonly on: number;
  readonly kind: Kind;
}

interface Package {
  readonly typescript: boolean;
  /** Packages of the workspace, and external ones. */
  readonly inside: readonly Need[];
  readonly outside: readonly Need[];
  /** Words of its test script. */
  readonly script: string;
  /** Texts by their paths below its folder. */
  readonly sources: Files;
  readonly readme: string;
}

interface External {
  readonly patch: number;
  /** External packages that it depends on; later ones, so never in a circle. */
  readonly needs: readonly number[];
}

export interface KeptMonorepo {
  readonly packages: readonly Package[];
  readonly externals: readonly External[];
  /** What the root's tsconfig.json says. */
  readonly strict: number;
}

export const rootOf = (at: number): string => `packages/p${at}`;
const nameOf = (at: number): string => `@all/p${at}`;
const externalName = (at: number): string => `outer-${at}`;

const PACKAGES = 6;
const EXTERNALS = 4;

const anyNeed = (among: number) => fc.record({ on: fc.nat(among - 1), kind: fc.constantFrom(...KINDS) });

const anyPackage = fc.record({
  typescript: fc.boolean(),
  inside: fc.array(anyNeed(PACKAGES), { maxLength: 3 }),
  outside: fc.array(anyNeed(EXTERNALS), { maxLength: 2 }),
});

export const anyKeptMonorepo: fc.Arbitrary<KeptMonorepo> = fc
  .record({
    packages: fc.array(anyPackage, { minLength: 1, maxLength: PACKAGES }),
    needs: fc.array(fc.array(fc.nat(EXTERNALS - 1), { maxLength: 2 }), { minLength: EXTERNALS, maxLength: EXTERNALS }),
  })
  .map(({ packages, needs }) => ({
    packages: packages.map((each, at) => ({
      typescript: each.typescript,
      inside: onePerTarget(each.inside.filter(({ on }) => on !== at && on < packages.length)),
      outside: onePerTarget(each.outside),
      script: 'node --test',
      sources: { 'src/index.js': `export const at = ${at};\n`, 'src/deep/more.ts': 'export {};\n' },
      readme: `Package ${at}.\n`,
    })),
    externals: needs.map((on, at) => ({ patch: 0, needs: [...new Set(on)].filter((each) => each > at) })),
    strict: 0,
  }));

/** A manifest may name a package under several kinds, but what then counts differs from one package manager to another. */
function onePerTarget(needs: readonly Need[]): Need[] {
  return [...new Map(needs.map((need) => [need.on, need])).values()];
}

/** Something that happens; `pick` and `other` choose what to, `fresh` is a number that was never used before. */
export interface Happening {
  readonly what: 'edit' | 'add' | 'remove' | 'move' | 'readme' | 'script' | 'bump' | 'need' | 'drop' | 'tsconfig';
  readonly pick: number;
  readonly other: number;
}

export const anyHappenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({
    what: fc.constantFrom<Happening['what']>(
      'edit',
      'add',
      'remove',
      'move',
      'readme',
      'script',
      'bump',
      'need',
      'drop',
      'tsconfig',
    ),
    pick: fc.nat(),
    other: fc.nat(),
  }),
  { minLength: 1, maxLength: 4 },
);

export function afterThat(model: KeptMonorepo, happenings: readonly Happening[]): KeptMonorepo {
  return happenings.reduce((each, happening, at) => after(each, happening, at + 1), model);
}

function after(model: KeptMonorepo, { what, pick, other }: Happening, fresh: number): KeptMonorepo {
  const at = pick % model.packages.length;
  const to = other % model.packages.length;
  const changed = (change: (each: Package) => Partial<Package>, where = at): KeptMonorepo => ({
    ...model,
    packages: model.packages.map((each, index) => (index === where ? { ...each, ...change(each) } : each)),
  });
  const [path, text] = Object.entries(model.packages[at]?.sources ?? {})[other % 2] ?? ['src/index.js', ''];
  switch (what) {
    case 'edit':
      return changed(({ sources }) => ({ sources: { ...sources, [path]: `${text}// ${fresh}\n` } }));
    case 'add':
      return changed(({ sources }) => ({ sources: { ...sources, [`src/more-${fresh}.js`]: `// ${fresh}\n` } }));
    case 'remove':
      return changed(({ sources }) => ({ sources: without(sources, path) }));
    case 'move': {
      const left = changed(({ sources }) => ({ sources: without(sources, path) }));
      const packages = left.packages.map((each, index) =>
        index === to ? { ...each, sources: { ...each.sources, [`src/moved-${fresh}.js`]: text } } : each,
      );
      return { ...left, packages };
    }
    case 'readme':
      return changed(({ readme }) => ({ readme: `${readme}${fresh}\n` }));
    case 'script':
      return changed(({ script }) => ({ script: `${script} --${fresh}` }));
    case 'need':
      return changed(({ inside }) => ({
        inside: to === at ? inside : onePerTarget([...inside, { on: to, kind: KINDS[fresh % 4] ?? 'production' }]),
      }));
    case 'drop':
      return changed(({ inside }) => ({ inside: inside.slice(1) }));
    case 'bump':
      return {
        ...model,
        externals: model.externals.map((each, index) =>
          index === other % EXTERNALS ? { ...each, patch: each.patch + 1 } : each,
        ),
      };
    case 'tsconfig':
      return { ...model, strict: model.strict + 1 };
  }
}

function without(files: Files, path: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([each]) => each !== path));
}

/** The repository as files: manifests, a lockfile that was written for them, sources. */
export function filesOf({ packages, externals, strict }: KeptMonorepo): Files {
  const own = packages.flatMap((each, at) => [
    [`${rootOf(at)}/package.json`, json({ ...manifestOf(each, at), scripts: { test: each.script } })] as const,
    [`${rootOf(at)}/README.md`, each.readme] as const,
    ...(each.typescript ? [[`${rootOf(at)}/tsconfig.json`, json({ extends: '../../tsconfig.json' })] as const] : []),
    ...Object.entries(each.sources).map(([path, text]) => [`${rootOf(at)}/${path}`, text] as const),
  ]);
  const locked = {
    '': { name: 'all', workspaces: ['packages/*'] },
    ...Object.fromEntries(packages.map((each, at) => [rootOf(at), manifestOf(each, at)])),
    ...Object.fromEntries(
      packages.map((_, at) => [`node_modules/${nameOf(at)}`, { resolved: rootOf(at), link: true }]),
    ),
    ...Object.fromEntries(
      externals.map(({ patch, needs }, at) => [
        `node_modules/${externalName(at)}`,
        { version: `1.0.${patch}`, dependencies: Object.fromEntries(needs.map((on) => [externalName(on), '^1.0.0'])) },
      ]),
    ),
  };
  return {
    'package.json': json({ name: 'all', private: true, workspaces: ['packages/*'] }),
    'package-lock.json': json({ name: 'all', lockfileVersion: 3, packages: locked }),
    'tsconfig.json': json({ compilerOptions: { strict: true, target: `es${2_015 + strict}` } }),
    ...Object.fromEntries(own),
  };
}

function manifestOf({ inside, outside }: Package, at: number): Readonly<Record<string, unknown>> {
  const needs = [
    ...inside.map(({ on, kind }) => ({ name: nameOf(on), range: '*', kind })),
    ...outside.map(({ on, kind }) => ({ name: externalName(on), range: '^1.0.0', kind })),
  ];
  const members = KINDS.map((kind): [string, Files] => [
    MEMBER_OF_KIND[kind],
    Object.fromEntries(needs.filter((need) => need.kind === kind).map(({ name, range }) => [name, range])),
  ]);
  return { name: nameOf(at), version: '1.0.0', ...Object.fromEntries(members) };
}

/**
 * Everything that a test of a package can see, as comparable text: its own files and what it asks for, the files of packages
 * it needs in any way and of what these are made with, and the versions of external packages that come with all of them.
 */
export function seenByTests(model: KeptMonorepo, at: number): string {
  const inside = insideSeenFrom(model, at);
  const outside = new Set<number>();
  for (const each of inside) for (const on of outsideOf(model, each, each === at)) outside.add(on);
  return JSON.stringify({
    packages: [...inside].sort(byNumber).map((each) => {
      const { sources, script, inside: needs, outside: further, typescript } = packageAt(model, each);
      const settings = typescript ? model.strict : null;
      return [
        each,
        Object.entries(sources).sort(([one], [other]) => byText(one, other)),
        script,
        needs,
        further,
        settings,
      ];
    }),
    externals: [...outside].sort(byNumber).map((each) => [each, model.externals[each]?.patch]),
  });
}

const byNumber = (one: number, other: number): number => one - other;

function packageAt(model: KeptMonorepo, at: number): Package {
  const found = model.packages[at];
  if (found === undefined) throw new Error(`there is no package ${at}`);
  return found;
}

function insideSeenFrom(model: KeptMonorepo, at: number): Set<number> {
  const seen = new Set([at]);
  for (const each of seen) {
    for (const { on, kind } of packageAt(model, each).inside) if (each === at || kind !== 'development') seen.add(on);
  }
  return seen;
}

function outsideOf(model: KeptMonorepo, at: number, own: boolean): Set<number> {
  const direct = packageAt(model, at).outside.filter(({ kind }) => own || kind !== 'development');
  const seen = new Set(direct.map(({ on }) => on));
  for (const each of seen) for (const on of model.externals[each]?.needs ?? []) seen.add(on);
  return seen;
}
