import { describesUnits } from '../discover.ts';
import type { RepositorySnapshot } from '../model.ts';
import { byText } from '../tree-paths.ts';

/** Sources of languages whose detectors look into them, for who needs whom: they say nothing about how to build. */
const SOURCES = /\.(?:go|rs|exs?)$/u;
const NO_SOURCES = /(?:^|\/)mix\.exs$/u;

/** Whether there is one says how packages are installed; what it resolves says nothing about it. */
const LOCKFILES =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|go\.sum|Cargo\.lock|(?:uv|poetry|pdm|Pipfile|Gemfile|composer|mix)\.lock|gems\.locked|gradle\.lockfile|packages\.lock\.json)$/u;

/**
 * Text that two trees have in common exactly when they have the same manifests, workspace definitions and task files at the
 * same paths, and lockfiles at the same paths. What it hashes to is the fingerprint under which recipes are kept.
 * Which files these are is for detectors to say, so a release with another detector may give another text.
 */
export function fingerprintText({ entries }: RepositorySnapshot): string {
  const lines = entries.flatMap((entry) => {
    const { path, type, blobId } = entry;
    if (type === 'submodule' || !describesUnits(entry) || isSource(path)) return [];
    return [JSON.stringify(LOCKFILES.test(path) ? [path] : [path, blobId])];
  });
  return lines.sort(byText).join('\n');
}

const isSource = (path: string): boolean => SOURCES.test(path) && !NO_SOURCES.test(path);
