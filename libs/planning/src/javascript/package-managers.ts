import { quoteForShell } from '../shell-words.ts';
import { inFolder, relativeTo } from '../tree-paths.ts';
import { readBunLock } from './bun-lock.ts';
import { readNpmLock } from './npm-lock.ts';
import { readPnpmLock } from './pnpm-lock.ts';
import { readYarnLock } from './yarn-lock.ts';
import type { Lock, LockSource } from './lock-source.ts';

export type PackageManagerName = 'npm' | 'pnpm' | 'yarn' | 'bun';

/** How one package manager is asked for things. */
export interface PackageManager {
  readonly name: PackageManagerName;
  /** Lockfiles it writes, the one that wins first. */
  readonly lockfiles: readonly string[];
  /** Command that makes the workspace's packages available. */
  readonly install: (how: { locked: boolean; offline: boolean; modern: boolean }) => string;
  /** Command that runs a script of a member, and the folder to run it in. */
  readonly run: (script: string, workspace: string, member: string) => { run: string; workdir: string };
  /** What a program that is installed with the workspace is started with. */
  readonly exec: string;
  /** Where downloaded packages are kept. */
  readonly caches: readonly string[];
  readonly hosts: readonly string[];
  readonly readLock: (source: LockSource) => Lock;
}

const inItsFolder =
  (program: string): PackageManager['run'] =>
  (script, _workspace, member) => ({ run: `${program} run ${script}`, workdir: member });

const NPM: PackageManager = {
  name: 'npm',
  lockfiles: ['npm-shrinkwrap.json', 'package-lock.json'],
  install: ({ locked, offline }) => `npm ${locked ? 'ci' : 'install --no-package-lock'}${offline ? ' --offline' : ''}`,
  run: (script, workspace, member) => {
    const folder = relativeTo(workspace, member);
    const where = folder === '.' ? '' : ` --workspace=${quoteForShell(folder)}`;
    return { run: `npm run ${script}${where}`, workdir: workspace };
  },
  exec: 'npx',
  caches: ['~/.npm/_cacache'],
  hosts: ['registry.npmjs.org'],
  readLock: readNpmLock,
};

const PNPM: PackageManager = {
  name: 'pnpm',
  lockfiles: ['pnpm-lock.yaml'],
  install: ({ locked, offline }) =>
    `pnpm install ${locked ? '--frozen-lockfile' : '--no-frozen-lockfile'}${offline ? ' --offline' : ''}`,
  run: inItsFolder('pnpm'),
  exec: 'pnpm exec',
  caches: ['~/.local/share/pnpm/store'],
  hosts: ['registry.npmjs.org'],
  readLock: readPnpmLock,
};

const YARN: PackageManager = {
  name: 'yarn',
  lockfiles: ['yarn.lock'],
  install: ({ locked, modern }) => {
    if (!locked) return 'yarn install';
    return modern ? 'yarn install --immutable' : 'yarn install --frozen-lockfile';
  },
  run: inItsFolder('yarn'),
  exec: 'yarn run',
  caches: ['~/.cache/yarn', '~/.yarn/berry/cache'],
  hosts: ['registry.npmjs.org', 'registry.yarnpkg.com', 'repo.yarnpkg.com'],
  readLock: readYarnLock,
};

const BUN: PackageManager = {
  name: 'bun',
  lockfiles: ['bun.lock', 'bun.lockb'],
  install: ({ locked }) => (locked ? 'bun install --frozen-lockfile' : 'bun install'),
  run: inItsFolder('bun'),
  exec: 'bunx',
  caches: ['~/.bun/install/cache'],
  hosts: ['registry.npmjs.org'],
  readLock: readBunLock,
};

export const PACKAGE_MANAGERS: readonly PackageManager[] = [PNPM, YARN, BUN, NPM];

/** Every lockfile name there is, with the manager that writes it. */
export const LOCKFILE_NAMES: ReadonlyMap<string, PackageManager> = new Map(
  PACKAGE_MANAGERS.flatMap((manager) => manager.lockfiles.map((name) => [name, manager] as const)),
);

/**
 * Which package manager a folder is for: what its manifest names, then whose files lie there, then npm.
 * `has` says whether the repository has a file.
 */
export function packageManagerOf(
  folder: string,
  packageManager: string | null,
  has: (path: string) => boolean,
): PackageManager {
  const named = /^(npm|pnpm|yarn|bun)@/u.exec(packageManager ?? '')?.[1];
  const byName = PACKAGE_MANAGERS.find((each) => each.name === named);
  if (byName !== undefined) return byName;
  if (has(inFolder(folder, 'pnpm-workspace.yaml'))) return PNPM;
  const byFile = PACKAGE_MANAGERS.find((each) => each.lockfiles.some((name) => has(inFolder(folder, name))));
  return byFile ?? NPM;
}
