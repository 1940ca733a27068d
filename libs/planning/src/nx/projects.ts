import type { RepositoryView } from '../tracing/repository-view.ts';
import { asRecord, asText, asTexts, memberOf, type ParsedRecord } from '../parsed-values.ts';
import { parseJsonWithComments } from '../javascript/json-with-comments.ts';
import type { JavaScriptPackage, JavaScriptWorkspace } from '../javascript/workspaces.ts';
import { fileNameOf, inFolder } from '../tree-paths.ts';

/** A project as Nx knows it: by its `project.json`, by `nx` in its manifest, or by its manifest alone. */
export interface NxProject {
  readonly name: string;
  readonly root: string;
  /** Targets that are written down, by name; scripts of the manifest are targets too. */
  readonly targets: ParsedRecord;
  readonly implicitDependencies: readonly string[];
  readonly tags: readonly string[];
  readonly namedInputs: ParsedRecord;
  /** Where its targets are written. */
  readonly path: string;
}

export interface NxWorkspace {
  readonly path: string;
  readonly settings: ParsedRecord;
  readonly workspace: JavaScriptWorkspace;
  readonly snapshot: RepositoryView;
  /** By their roots. */
  readonly projects: ReadonlyMap<string, NxProject>;
}

/** A workspace with an `nx.json` at its root; null for any other. */
export function nxWorkspaceOf(workspace: JavaScriptWorkspace, snapshot: RepositoryView): NxWorkspace | null {
  const path = inFolder(workspace.root, 'nx.json');
  const settings = asRecord(snapshot.parsed(path, parseJsonWithComments));
  if (settings === null) return null;
  const projects = new Map(workspace.packages.map((each) => [each.root, projectOf(each, snapshot)] as const));
  return { path, settings, workspace, snapshot, projects };
}

function projectOf({ root, manifest, manifestPath }: JavaScriptPackage, snapshot: RepositoryView): NxProject {
  const path = inFolder(root, 'project.json');
  const own = asRecord(snapshot.parsed(path, parseJsonWithComments));
  const described = [own, asRecord(manifest.nx)].filter((each) => each !== null);
  const member = (name: string): unknown =>
    described.map((each) => memberOf(each, name)).find((each) => each !== undefined);
  return {
    name: asText(member('name')) ?? manifest.name ?? fileNameOf(root),
    root,
    targets: { ...asRecord(memberOf(asRecord(manifest.nx), 'targets')), ...asRecord(memberOf(own, 'targets')) },
    implicitDependencies: asTexts(member('implicitDependencies')) ?? [],
    tags: asTexts(member('tags')) ?? [],
    namedInputs: asRecord(member('namedInputs')) ?? {},
    path: own === null ? manifestPath : path,
  };
}
