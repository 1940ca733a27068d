import { fileNameOf } from '../tree-paths.ts';
import { isPackageManifest } from './workspaces.ts';

const READ = new Set(
  'package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock pnpm-workspace.yaml lerna.json nx.json project.json turbo.json turbo.jsonc .npmrc .yarnrc .yarnrc.yml bunfig.toml .nvmrc .node-version'.split(
    ' ',
  ),
);

/** Settings of compilers, test runners, bundlers and linters, in whatever language they are written. */
const TOOL_SETTINGS =
  /^(?:[\w-]+\.)?(?:config|preset|workspace)\.[cm]?[jt]s$|^\.(?:babel|eslint|mocha|nyc|postcss|prettier|stylelint|swc)rc(?:\.[a-z0-9]+)?$|^tsconfig(?:[.-][\w.-]+)?\.json$/u;

/** Files whose contents say how JavaScript packages hang together. */
export function isJavaScriptFile(path: string): boolean {
  if (isPackageManifest(path)) return true;
  return (READ.has(fileNameOf(path)) || isToolSettings(path)) && !/(?:^|\/)node_modules\//u.test(path);
}

export function isToolSettings(path: string): boolean {
  return TOOL_SETTINGS.test(fileNameOf(path));
}
