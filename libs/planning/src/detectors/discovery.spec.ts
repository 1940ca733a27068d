import { describe, expect, it } from '@jest/globals';
import { Plan } from '@delta-ci/contracts';
import { discover } from '../discover.ts';
import { keysOf, linkTo, planned, snapshotOf, type Files } from '../planned-repository.fixture.ts';
import { SHOP, json } from '../shop.fixture.ts';

const found = (files: Files): ReturnType<typeof discover> => discover(snapshotOf(files));

/** Units with their commands, one line each: what people would want to see of a discovery. */
function unitsOf(files: Files): string[] {
  return found(files).units.map(({ id, ecosystem, commands }) =>
    `${id} [${ecosystem}] ${commands.map(({ step }) => step.run).join('; ')}`.trim(),
  );
}

function edgesOf(files: Files): string[] {
  return found(files).edges.map(({ from, to, kind }) => `${from} -> ${to} (${kind})`);
}

const tested = (name: string, more: Readonly<Record<string, unknown>> = {}): string =>
  json({ name, scripts: { test: 'node --test' }, ...more });

describe('npm workspaces', () => {
  it('given the shop, then every package is a unit and cart depends on money', () => {
    expect(unitsOf(SHOP)).toEqual([
      '. [npm]',
      'packages/cart [npm] npm run test --workspace=packages/cart',
      'packages/greeting [npm] npm run test --workspace=packages/greeting',
      'packages/money [npm] npm run test --workspace=packages/money',
    ]);
    expect(edgesOf(SHOP)).toEqual(['packages/cart -> packages/money (production)']);
  });

  it.each(['npm test --ws', 'pnpm run -r test', 'turbo run test && npm run lint --workspaces'])(
    'given a root script that only starts the members, such as "%s", then it is no job of its own',
    (test) => {
      const files = {
        'package.json': json({ workspaces: ['a'], scripts: { test } }),
        'a/package.json': tested('a'),
      };
      expect(unitsOf(files)[0]).toBe('. [npm]');
    },
  );

  it('given a root script that starts the members and does something itself, then it stays a job', () => {
    const files = {
      'package.json': json({ workspaces: ['a'], scripts: { test: 'vitest run && npm test --workspaces' } }),
      'a/package.json': tested('a'),
    };
    expect(unitsOf(files)).toContain('. [npm] npm run test');
  });

  it('given a package that compiles instead of building, then whoever depends on it gets it compiled first', () => {
    const files = {
      'package.json': json({ workspaces: ['a', 'b'] }),
      'a/package.json': json({ name: 'a', scripts: { compile: 'tsc --build', 'test:types': 'tsc --noEmit' } }),
      'b/package.json': tested('b', { dependencies: { a: '*' } }),
    };
    expect(unitsOf(files)).toContain('a [npm] npm run compile --workspace=a; npm run test:types --workspace=a');
    expect(found(files).units.find(({ id }) => id === 'b')?.buildsFirst).toEqual(['a']);
    const types = planned(null, files).jobs.find(({ kind }) => kind === 'typecheck');
    expect(types?.steps.slice(-2).map(({ run }) => run)).toEqual([
      'npm run compile --workspace=a',
      'npm run test:types --workspace=a',
    ]);
  });

  it('given patterns with a negation, then what it names is no member and stands alone', () => {
    const files = {
      'package.json': json({ workspaces: ['packages/**', '!packages/legacy'] }),
      'packages/a/package.json': tested('a'),
      'packages/legacy/package.json': tested('legacy'),
    };
    expect(unitsOf(files)).toEqual([
      '. [npm]',
      'packages/a [npm] npm run test --workspace=packages/a',
      'packages/legacy [npm] npm run test',
    ]);
  });

  it('given a package within a package, then both are units and the inner owns its files', () => {
    const files = { 'package.json': tested('outer'), 'site/package.json': tested('inner') };
    expect(unitsOf(files)).toEqual(['. [npm] npm run test', 'site [npm] npm run test']);
  });

  it('given dependencies of every kind, then each edge keeps its kind', () => {
    const files = {
      'package.json': json({ workspaces: ['a', 'b', 'c', 'd', 'e'] }),
      'a/package.json': tested('a', {
        dependencies: { b: '^1.0.0' },
        devDependencies: { c: 'workspace:*' },
        peerDependencies: { d: '*' },
        optionalDependencies: { e: '*' },
      }),
      ...Object.fromEntries(['b', 'c', 'd', 'e'].map((name) => [`${name}/package.json`, tested(name)])),
    };
    expect(edgesOf(files)).toEqual([
      'a -> b (production)',
      'a -> c (development)',
      'a -> d (peer)',
      'a -> e (optional)',
    ]);
  });

  it('given a package that is made while it is installed, then what it is worked on with makes it', () => {
    const files = {
      'package.json': json({ workspaces: ['a', 'b'] }),
      'a/package.json': json({ name: 'a', scripts: { prepare: 'tsc' }, devDependencies: { b: '*' } }),
      'b/package.json': tested('b'),
    };
    expect(edgesOf(files)).toEqual(['a -> b (build)']);
  });

  it('given a dependency by path between packages that stand alone, then it is an edge', () => {
    const files = {
      'app/package.json': tested('app', { dependencies: { lib: 'file:../lib' } }),
      'lib/package.json': tested('lib'),
    };
    expect(edgesOf(files)).toEqual(['app -> lib (production)']);
  });

  it('given an alias of a published package, then the member of that name is no edge', () => {
    const files = {
      'package.json': json({ workspaces: ['a', 'b'] }),
      'a/package.json': tested('a', { dependencies: { b: 'npm:other@1' } }),
      'b/package.json': tested('b'),
    };
    expect(edgesOf(files)).toEqual([]);
  });

  it('given a root script that only starts the members, then it is no job of its own; any other depends on all members', () => {
    const files = (test: string): Files => ({
      'package.json': json({ name: 'all', workspaces: ['a'], scripts: { test } }),
      'a/package.json': tested('a'),
    });
    expect(unitsOf(files('npm test --workspaces'))).toEqual(['. [npm]', 'a [npm] npm run test --workspace=a']);
    expect(unitsOf(files('jest'))).toContain('. [npm] npm run test');
    expect(edgesOf(files('jest'))).toEqual(['. -> a (workspace)']);
  });

  it('given the placeholder of npm init, then it is no test', () => {
    const files = { 'package.json': json({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }) };
    expect(unitsOf(files)).toEqual(['. [npm]']);
  });

  it('given manifests of fixtures and installed packages, then they are no units', () => {
    const files = {
      'package.json': tested('a'),
      'node_modules/x/package.json': tested('x'),
      'test/fixtures/y/package.json': tested('y'),
    };
    expect(unitsOf(files)).toEqual(['. [npm] npm run test']);
  });

  it('given a manifest that is no JSON, then the problem is told and the rest is planned', () => {
    const discovery = found({ 'a/package.json': '{', 'b/package.json': tested('b') });
    expect(discovery.units.map(({ id }) => id)).toEqual(['b']);
    expect(discovery.problems).toEqual([
      expect.objectContaining({ code: 'manifest_unreadable', path: 'a/package.json' }),
    ]);
  });
});

describe('what a job of a package needs before it can start', () => {
  const stepsBefore = (files: Files, id: string): readonly unknown[] => {
    const unit = found(files).units.find((each) => each.id === id);
    return [unit?.install.map(({ run }) => run), unit?.hosts, unit?.buildsFirst];
  };

  it('given no dependency at all, then nothing is installed and no host is asked for', () => {
    expect(stepsBefore(SHOP, 'packages/money')).toEqual([[], [], []]);
  });

  it('given dependencies within the workspace alone, then it is installed without a network', () => {
    expect(stepsBefore(SHOP, 'packages/cart')).toEqual([['npm ci --offline'], [], []]);
  });

  it('given external packages, then the registry and the hosts of the lockfile may be reached', () => {
    const files = {
      'package.json': tested('a', { dependencies: { x: '1.0.0' } }),
      'package-lock.json': json({
        lockfileVersion: 3,
        packages: { 'node_modules/x': { version: '1.0.0', resolved: 'https://npm.example.org/x/-/x-1.0.0.tgz' } },
      }),
    };
    expect(stepsBefore(files, '.')).toEqual([['npm ci'], ['npm.example.org', 'registry.npmjs.org'], []]);
  });

  it('given no lockfile, then packages are installed without writing one, and none of them are kept', () => {
    const files = { 'package.json': tested('a', { dependencies: { x: '1.0.0' } }) };
    expect(stepsBefore(files, '.')[0]).toEqual(['npm install --no-package-lock']);
    expect(found(files).units.map(({ caches }) => caches)).toEqual([[]]);
  });

  it('given dependencies with builds, also in a circle, then they are built first, each after what it needs', () => {
    const built = (name: string, dependencies: Files): string =>
      json({ name, dependencies, scripts: { build: 'tsc', test: 'node --test' } });
    const files = {
      'package.json': json({ workspaces: ['*'] }),
      'app/package.json': built('app', { left: '*', right: '*' }),
      'left/package.json': built('left', { right: '*' }),
      'right/package.json': built('right', { base: '*' }),
      'base/package.json': built('base', { app: '*' }),
    };
    expect(stepsBefore(files, 'app')[2]).toEqual(['base', 'right', 'left']);
  });
});

describe('a package at the end of a very long chain of builds', () => {
  it('given more builds than a job has steps, then they are gathered, in order, and the plan still fits its shape', () => {
    const count = 300;
    const files: Record<string, string> = { 'package.json': json({ workspaces: ['p*'] }) };
    for (let at = 0; at < count; at += 1) {
      const dependencies = at === 0 ? {} : { [`p${at - 1}`]: '*' };
      files[`p${at}/package.json`] = json({ name: `p${at}`, scripts: { build: 'tsc' }, dependencies });
    }
    const plan = planned(null, files);
    const last = plan.jobs.find(({ unit }) => unit === `p${count - 1}`);
    expect(Plan.safeParse(plan).success).toBe(true);
    const lines = last?.steps.flatMap(({ run }) => run.split('\n'));
    expect(lines?.slice(0, 3)).toEqual([
      'npm install --no-package-lock --offline',
      'npm run build --workspace=p0',
      'npm run build --workspace=p1',
    ]);
    expect(lines).toHaveLength(count + 1);
  });
});

describe('pnpm workspaces', () => {
  it('given a definition with a negation, then members run in their own folders', () => {
    const files = {
      'pnpm-workspace.yaml': 'packages:\n  - "packages/*"\n  - "!**/examples/**"\n',
      'pnpm-lock.yaml': "lockfileVersion: '9.0'\nimporters: {}\n",
      'package.json': json({ name: 'all', private: true }),
      'packages/a/package.json': tested('a', { dependencies: { b: 'workspace:^' } }),
      'packages/b/package.json': tested('b', { scripts: { build: 'tsc', test: 'vitest' } }),
    };
    expect(unitsOf(files)).toEqual([
      '. [pnpm]',
      'packages/a [pnpm] pnpm run test',
      'packages/b [pnpm] pnpm run build; pnpm run test',
    ]);
    expect(found(files).units[1]).toMatchObject({
      install: [{ run: 'pnpm install --frozen-lockfile --offline', workdir: '.' }],
      buildsFirst: ['packages/b'],
    });
  });

  it('given a definition that is no YAML, then the problem is told', () => {
    const files = { 'pnpm-workspace.yaml': 'packages: [', 'a/package.json': tested('a') };
    expect(found(files).problems).toEqual([expect.objectContaining({ code: 'workspace_unreadable' })]);
  });
});

describe('Go modules', () => {
  const FILES: Files = {
    'go.work': 'go 1.24\n\nuse (\n\t./api\n\t./store // the tables\n)\n',
    'api/go.mod': 'module example.org/api\n\ngo 1.24\n\nrequire example.org/store v0.0.0\n',
    'api/main.go': 'package main\n\nimport "example.org/store"\n',
    'api/main_test.go': 'package main\n',
    'store/go.mod': 'module example.org/store\n\ngo 1.24\n\nrequire (\n\tgithub.com/x/y v1.2.3 // indirect\n)\n',
    'store/store.go': 'package store\n',
    'tool/go.mod':
      'module example.org/tool\n\nrequire example.org/store v0.0.0\n\nreplace example.org/store => ../store\n',
    'tool/main.go': 'package main\n\nimport _ "example.org/store"\n',
    'apart/go.mod': 'module example.org/apart\n\nrequire example.org/store v0.9.0\n',
    'apart/main.go': 'package main\n\nimport _ "example.org/store"\n',
  };

  it('given a workspace and a replacement, then packages depend on each other where the repository serves them', () => {
    expect(unitsOf(FILES)).toEqual([
      'apart [go] go build -o /dev/null .; go vet .',
      'api [go] go build -o /dev/null .; go vet .; go test .',
      'store [go] go build -o /dev/null .; go vet .',
      'tool [go] go build -o /dev/null .; go vet .',
    ]);
    expect(edgesOf(FILES)).toEqual(['api -> store (production)', 'tool -> store (production)']);
  });

  it('given requirements from outside, then the module proxy may be reached, unless they are vendored', () => {
    const hosts = (files: Files): unknown => found(files).units.find(({ id }) => id === 'store')?.hosts;
    expect(hosts(FILES)).toEqual(['proxy.golang.org', 'sum.golang.org']);
    expect(hosts({ ...FILES, 'store/vendor/modules.txt': '' })).toEqual([]);
  });

  it('given a module beside a package, then both are units of the same folder', () => {
    const files = { 'package.json': tested('a'), 'go.mod': 'module m\n', 'm.go': 'package m\n' };
    expect(unitsOf(files)).toEqual(['. [npm] npm run test', '. (go) [go] go build -o /dev/null .; go vet .']);
    expect(keysOf(planned(null, files).jobs)).toEqual(['build-go', 'lint-go', 'test']);
  });

  it('given a file that is too large to be read, then its module is one unit, and that is said', () => {
    const snapshot = snapshotOf(FILES);
    const contents = new Map(snapshot.contents);
    contents.delete('store/store.go');
    const { units, problems } = discover({ ...snapshot, contents });
    const store = units.find(({ id }) => id === 'store');
    expect(store?.commands.map(({ step }) => step.run)).toEqual(['go build -o /dev/null ./...', 'go vet ./...']);
    expect(problems.map(({ message }) => message)).toEqual([
      'example.org/store is planned as one: store/store.go is too large or no Go',
    ]);
  });
});

describe('symbolic links', () => {
  it('given a link into another unit, then whoever holds it depends on what it leads to', () => {
    const files = { ...SHOP, 'packages/greeting/money': linkTo('../money/src') };
    expect(edgesOf(files)).toContain('packages/greeting -> packages/money (symlink)');
  });
});
