import { z } from 'zod';
import { ownerAmong, type OracleAnswer } from '../comparison/answer.ts';
import { folderInClone, lacking, quoted, type Oracle, type Question } from './oracle.ts';
import { parsedAnswer } from './parsed-answer.ts';

/** Which pnpm a package asks for is taken away, as git does not notice: any will tell what depends on what. */
const ANY_VERSION = `const fs = require('fs');
const git = (args, input = '') => require('child_process').execFileSync('git', args, { encoding: 'utf8', input, maxBuffer: 1 << 28 });
const edited = [];
for (const path of git(['ls-files', '-z', '--', 'package.json', '**/package.json']).split('\\0')) {
  if (path === '' || !fs.existsSync(path)) continue;
  let manifest;
  try { manifest = JSON.parse(fs.readFileSync(path, 'utf8')); } catch { continue; }
  if (manifest?.engines === undefined && manifest?.packageManager === undefined) continue;
  const { engines, packageManager, ...others } = manifest;
  edited.push(path + '\\0');
  fs.writeFileSync(path, JSON.stringify(others));
}
git(['update-index', '--skip-worktree', '-z', '--stdin'], edited.join(''));`;

/** pnpm names dependents of one package at a time, so it is asked about those that own a changed file. */
export const pnpm: Oracle = {
  name: 'pnpm',
  asks: '`pnpm --filter "...[ref]" ls` and `pnpm --filter "...{folder}" ls`',
  program: 'pnpm',
  lacks: lacking('pnpm-workspace.yaml', 'package.json'),
  script: (question) => `export npm_config_manage_package_manager_versions=false npm_config_package_manager_strict=false
export npm_config_ignore_pnpmfile=true npm_config_update_notifier=false
node -e ${quoted(ANY_VERSION)}
list() { node "$PNPM" "$@" --depth -1 --json > ../listed.json; grep -q '^\\[' ../listed.json && cat ../listed.json || printf '[]'; }
printf '{"all":'; list -r ls
printf ',"affected":'; list --filter "...[$BASE]" ls
printf ',"dependents":{'
${ownersIn(question).map(askAbout).join('\nprintf ","\n')}
printf '}}'
`,
  comparesAnswers: false,
  read: (output) => readPnpm(output),
};

const askAbout = (owner: string): string =>
  `printf '%s:' ${quoted(JSON.stringify(owner))}; list --filter ${quoted(`...{${owner}}`)} ls`;

function ownersIn({ paths, changed }: Question): string[] {
  const folders = new Set(
    paths
      .filter((path) => path === 'package.json' || path.endsWith('/package.json'))
      .map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '.'),
  );
  const places = changed.flatMap(({ path, oldPath }) => [path, ...(oldPath === undefined ? [] : [oldPath])]);
  const owners = places.map((path) => ownerAmong(folders, path));
  return [...new Set(owners)].filter((owner) => owner !== null).sort();
}

const Packages = z.array(z.object({ path: z.string() }));
const Answer = z.object({ all: Packages, affected: Packages, dependents: z.record(z.string(), Packages) });

function readPnpm(output: string): OracleAnswer {
  const { all, affected, dependents } = parsedAnswer('pnpm', Answer, output);
  const rootsOf = (packages: z.infer<typeof Packages>): string[] => packages.map(({ path }) => folderInClone(path));
  return {
    units: rootsOf(all),
    affected: rootsOf(affected),
    edges: Object.entries(dependents).flatMap(([to, packages]) =>
      rootsOf(packages)
        .filter((from) => from !== to)
        .map((from) => ({ from, to, passesOn: true })),
    ),
    unknown: 0,
  };
}
