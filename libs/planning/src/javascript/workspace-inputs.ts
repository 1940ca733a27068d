import { load } from 'js-yaml';
import type { DeclaredInput } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { asRecord, asText, memberOf, sortedText, type ParsedRecord } from '../parsed-values.ts';
import { inFolder } from '../tree-paths.ts';
import type { Lock } from './lock-source.ts';
import type { JavaScriptWorkspace } from './workspaces.ts';

/** Files beside the manifests that say how all members are installed, compared by what they say. */
export function workspaceInputs(
  { root, manager, lock }: JavaScriptWorkspace,
  { parsed }: RepositoryView,
): DeclaredInput[] {
  const path = inFolder(root, 'pnpm-workspace.yaml');
  const settings = manager.name === 'pnpm' ? (parsed(path, settingsOf) ?? null) : null;
  if (settings === null) return [];
  const evidence = 'it says how all packages of the workspace are installed';
  return [{ paths: [path], kinds: 'all', evidence, meaning: meaningOf(settings, lock) }];
}

function settingsOf(text: string): ParsedRecord | null {
  try {
    return asRecord(load(text, { maxAliases: 0 }));
  } catch {
    // Whoever reads the members names the file.
    return null;
  }
}

/**
 * What catalogs chose shows in the closure of each member, as long as the lockfile was written for them: otherwise no
 * member may even be installed.
 */
function meaningOf(settings: ParsedRecord, lock: Lock): string {
  const { catalog, catalogs, ...others } = settings;
  const all = { ...asRecord(catalogs), ...(catalog === undefined ? {} : { default: catalog }) };
  const noted = lock.kind === 'read' ? lock.graph.catalogs : null;
  const inStep = Object.entries(asRecord(noted) ?? {}).every(([name, entries]) =>
    Object.entries(asRecord(entries) ?? {}).every(
      ([dependency, entry]) =>
        asText(memberOf(memberOf(all, name), dependency)) === asText(memberOf(entry, 'specifier')),
    ),
  );
  return sortedText(noted !== null && inStep ? others : settings);
}
