import { fileNameOf } from '../tree-paths.ts';
import { isPackageManifest } from './workspaces.ts';

const READ = new Set(
  'package-lock.json npm-shrinkwrap.json pnpm-lock.yaml pnpm-workspace.yaml .npmrc .nvmrc .node-version'.split(' '),
);

/** Files whose contents say how JavaScript packages hang together. */
export function isJavaScriptFile(path: string): boolean {
  return isPackageManifest(path) || (READ.has(fileNameOf(path)) && !/(?:^|\/)node_modules\//u.test(path));
}
