/**
 * A workspace of many packages, the same for the same numbers: families of 64 that build upon each other, every package
 * in TypeScript, with a few packages from outside and tools at the root. With 1,000 packages it has 1,924 edges.
 */
export interface LargeWorkspace {
  readonly manager: 'npm' | 'pnpm' | 'yarn';
  /** How many packages, at least two families. */
  readonly count: number;
  /** Version of `ext-0`, which two packages declare: with all that build upon them, 102. */
  readonly version: string;
  /** Whether the root declares `ext-0` too. */
  readonly alsoAtRoot: boolean;
}

type Files = Readonly<Record<string, string>>;

const FAMILY = 64;
const EXTERNALS = 20;
const TOOLS = { eslint: '^9.0.0', typescript: '^5.0.0', '@types/node': '^24.0.0' };

/** The first package of the second family that 38 are left for, itself included. */
const SECOND_USER = FAMILY + 26;

interface Member {
  readonly at: number;
  readonly internal: readonly string[];
  readonly external: Readonly<Record<string, string>>;
}

export function largeWorkspace(given: LargeWorkspace): Files {
  const members = membersOf(given.count);
  const files: Record<string, string> = {
    'tsconfig.base.json': json({ compilerOptions: { strict: true } }),
    'README.md': '# Large\n',
    'package.json': json({ ...rootOf(given), ...(given.manager === 'pnpm' ? {} : { workspaces: ['packages/*'] }) }),
    ...LOCKS[given.manager](given, members),
  };
  for (const { at, internal, external } of members) {
    files[`packages/p${at}/package.json`] = json({
      name: `@large/p${at}`,
      version: '1.0.0',
      scripts: { lint: 'eslint .', test: 'node --test', typecheck: 'tsc --noEmit' },
      dependencies: { ...external, ...Object.fromEntries(internal.map((name) => [name, '1.0.0'])) },
    });
    files[`packages/p${at}/tsconfig.json`] = json({ extends: '../../tsconfig.base.json' });
    files[`packages/p${at}/README.md`] = `# Package ${at}\n`;
    files[`packages/p${at}/src/index.ts`] = `export const at = ${at};\n`;
  }
  return files;
}

/** Edges between packages, as pairs of numbers: the first builds upon the second. */
function edgesOf(count: number): [number, number][] {
  const upwards: [number, number][] = [];
  const sideways: [number, number][] = [];
  for (let at = 0; at < count; at += 1) {
    const place = at % FAMILY;
    const first = at - place;
    if (place > 0) upwards.push([at, first + Math.floor((place - 1) / 2)]);
    if (place > 1) sideways.push([at, at - 1]);
  }
  return [...upwards, ...sideways.slice(0, Math.round(count * 0.94))];
}

function membersOf(count: number): Member[] {
  const edges = Map.groupBy(edgesOf(count), ([from]) => from);
  return Array.from({ length: count }, (_, at) => {
    const externals = [`ext-${1 + (at % (EXTERNALS - 1))}`, ...([0, SECOND_USER].includes(at) ? ['ext-0'] : [])];
    return {
      at,
      internal: (edges.get(at) ?? []).map(([, to]) => `@large/p${to}`),
      external: Object.fromEntries(externals.map((name) => [name, '^1.0.0'])),
    };
  });
}

function rootOf({ alsoAtRoot, manager }: LargeWorkspace): { name: string; private: boolean; devDependencies: Files } {
  const devDependencies = { ...TOOLS, ...(alsoAtRoot ? { 'ext-0': '^1.0.0' } : {}) };
  return {
    name: 'large',
    private: true,
    devDependencies,
    ...(manager === 'yarn' ? { packageManager: 'yarn@4.9.0' } : {}),
  };
}

/** Everything from outside: each `ext-N` needs an `ext-N-deep`, and the compiler has a command. */
function packagesFromOutside(given: LargeWorkspace): { name: string; version: string; needs: Files; bin: Files }[] {
  const externals = Array.from({ length: EXTERNALS }, (_, at) => [
    { name: `ext-${at}`, version: at === 0 ? given.version : '1.0.0', needs: { [`ext-${at}-deep`]: '1.0.0' }, bin: {} },
    { name: `ext-${at}-deep`, version: '1.0.0', needs: {}, bin: {} },
  ]);
  return [
    ...externals.flat(),
    { name: 'eslint', version: '9.0.0', needs: {}, bin: { eslint: 'bin/eslint.js' } },
    { name: 'typescript', version: '5.9.0', needs: {}, bin: { tsc: 'bin/tsc' } },
    { name: '@types/node', version: '24.0.0', needs: {}, bin: {} },
  ];
}

/** A pair of a name and whatever stands under it. */
const under = (name: string, value: unknown): [string, unknown] => [name, value];

const recordOf = (pairs: readonly [string, unknown][]): Readonly<Record<string, unknown>> => Object.fromEntries(pairs);

const LOCKS = {
  npm: (given: LargeWorkspace, members: readonly Member[]): Files => {
    const root = under('', { name: 'large', devDependencies: rootOf(given).devDependencies });
    const own = members.flatMap(({ at, internal, external }) => [
      under(`packages/p${at}`, { name: `@large/p${at}`, version: '1.0.0', dependencies: allOf(internal, external) }),
      under(`node_modules/@large/p${at}`, { resolved: `packages/p${at}`, link: true }),
    ]);
    const outside = packagesFromOutside(given).map(({ name, version, needs, bin }) =>
      under(`node_modules/${name}`, { version, integrity: `sha512-${name}-${version}`, dependencies: needs, bin }),
    );
    return { 'package-lock.json': json({ lockfileVersion: 3, packages: recordOf([root, ...own, ...outside]) }) };
  },

  pnpm: (given: LargeWorkspace, members: readonly Member[]): Files => {
    const outside = packagesFromOutside(given);
    const resolved = new Map(outside.map(({ name, version }) => [name, version]));
    const askedFor = (ranges: Files): unknown =>
      recordOf(
        Object.entries(ranges).map(([name, specifier]) =>
          under(name, { specifier, version: resolved.get(name) ?? `link:../${name.slice('@large/'.length)}` }),
        ),
      );
    const importers = members.map(({ at, internal, external }) =>
      under(`packages/p${at}`, { dependencies: askedFor(allOf(internal, external)) }),
    );
    const packages = outside.map(({ name, version, bin }) => {
      const resolution = { integrity: `sha512-${name}-${version}` };
      return under(`${name}@${version}`, Object.keys(bin).length > 0 ? { resolution, hasBin: true } : { resolution });
    });
    const snapshots = outside.map(({ name, version, needs }) => under(`${name}@${version}`, { dependencies: needs }));
    const root = under('.', { devDependencies: askedFor(rootOf(given).devDependencies) });
    return {
      'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
      // JSON is YAML.
      'pnpm-lock.yaml': json({
        lockfileVersion: '9.0',
        settings: { autoInstallPeers: true },
        importers: recordOf([root, ...importers]),
        packages: recordOf(packages),
        snapshots: recordOf(snapshots),
      }),
    };
  },

  yarn: (given: LargeWorkspace, members: readonly Member[]): Files => {
    const own = members.map(({ at, internal, external }) => [
      `@large/p${at}@1.0.0, @large/p${at}@workspace:packages/p${at}`,
      workspaceEntry(`@large/p${at}@workspace:packages/p${at}`, allOf(internal, external)),
    ]);
    const ranges: Files = { ...TOOLS };
    const outside = packagesFromOutside(given).map(({ name, version, needs, bin }) => [
      `${name}@npm:${ranges[name] ?? (name.endsWith('-deep') ? '1.0.0' : '^1.0.0')}`,
      {
        version,
        resolution: `${name}@npm:${version}`,
        dependencies: needs,
        bin,
        checksum: `10/${name}-${version}`,
        linkType: 'hard',
      },
    ]);
    const root = ['large@workspace:.', workspaceEntry('large@workspace:.', rootOf(given).devDependencies)];
    const entries = [root, ...own, ...outside].map(
      ([key, entry]) => `${JSON.stringify(key)}: ${JSON.stringify(entry)}\n`,
    );
    const lock = ['__metadata:\n  version: 8\n  cacheKey: 10\n', ...entries].join('\n');
    return { 'yarn.lock': lock, '.yarnrc.yml': 'nodeLinker: node-modules\n' };
  },
};

function workspaceEntry(resolution: string, dependencies: Files): unknown {
  return { version: '0.0.0-use.local', resolution, dependencies, languageName: 'unknown', linkType: 'soft' };
}

function allOf(internal: readonly string[], external: Files): Files {
  return { ...external, ...Object.fromEntries(internal.map((name) => [name, '1.0.0'])) };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
