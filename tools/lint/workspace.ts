/** What the checks look at: the workspace as plain data, so that a made-up one can be checked just as well. */
export interface Workspace {
  readonly projects: readonly Project[];
  /** Folders directly under `apps/` and `libs/`, whether or not anything made them a project. */
  readonly roomFolders: readonly string[];
  /** Folders that the root `tsconfig.json` builds. */
  readonly builtFolders: readonly string[];
  /** Packages that the root offers to specs, `test` and `tools`. */
  readonly developmentPackages: readonly string[];
  /** Packages that an installed package asks its user to bring along. */
  readonly peersOf: Readonly<Record<string, readonly string[]>>;
  /** Every file of the repository, by its path from the root. */
  readonly files: readonly string[];
}

export interface Project {
  /** Path from the root: `libs/domain`. */
  readonly folder: string;
  readonly packageName: string;
  readonly tags: readonly string[];
  /** Declared dependencies of any kind: name to version. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Paths that other packages may import, as declared in `exports`. */
  readonly doors: readonly string[];
  /** Scripts of its package.json. */
  readonly scripts: readonly string[];
  /** Folders that its `tsconfig.json` refers to. */
  readonly references: readonly string[];
  readonly sources: readonly SourceFile[];
  readonly annexes: readonly Annex[];
}

/** A folder inside a project that has dependencies of its own, installed apart from the workspace. */
export interface Annex {
  /** Path from the root: `tools/bench/peers`. */
  readonly folder: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

export interface SourceFile {
  readonly path: string;
  /** Modules it names, as written. */
  readonly imports: readonly string[];
  /** Whether the file silences the linter. */
  readonly silences: boolean;
}

export const scope = '@delta-ci/';

/** What a file may import by its name: what its annex declares, if it stands in one, else what its project does. */
export const declarerOf = (project: Project, path: string): Project | Annex =>
  project.annexes.find((annex) => path.startsWith(`${annex.folder}/`)) ?? project;

/** Last part of a path. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Specs, and the fixtures they stand on, are neither compiled nor shipped. */
export const isShipped = ({ path }: Pick<SourceFile, 'path'>): boolean => !/\.(spec|fixture)\.ts$/.test(path);
