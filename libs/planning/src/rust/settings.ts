import type { Unit } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { asText, memberOf, type ParsedRecord } from '../parsed-values.ts';
import { parseToml } from '../toml-text.ts';
import { fileNameOf, foldersUpwards, inFolder } from '../tree-paths.ts';
import { packageField } from './manifest.ts';
import { inheritanceOf, type Surroundings } from './surroundings.ts';
import type { CargoPackage } from './workspaces.ts';

/** Files that set cargo and its tools up, for the folder they lie in and those below it. */
export const CLIPPY_FILES = ['clippy.toml', '.clippy.toml'];
export const RUSTFMT_FILES = ['rustfmt.toml', '.rustfmt.toml'];
export const TOOLCHAIN_FILES = ['rust-toolchain', 'rust-toolchain.toml'];
export const CONFIG_FILES = ['.cargo/config', '.cargo/config.toml'];

/** The file of one of these names that lies nearest, upwards. */
export function nearest({ snapshot }: Surroundings, folder: string, names: readonly string[]): string | null {
  const paths = foldersUpwards(folder).flatMap((each) => names.map((name) => inFolder(each, name)));
  return paths.find((path) => snapshot.files.has(path)) ?? null;
}

/** Whether detection needs the contents of a file that sets cargo up. */
export function isCargoSetting(path: string): boolean {
  return TOOLCHAIN_FILES.includes(fileNameOf(path)) || /(?:^|\/)\.cargo\/config(?:\.toml)?$/u.test(path);
}

/** Settings of cargo for a folder: of each table, the nearest file that has it. */
export function configOf({ contents }: RepositoryView, folder: string): ParsedRecord {
  const files = foldersUpwards(folder).flatMap((each) =>
    CONFIG_FILES.map((name) => contents.get(inFolder(each, name))),
  );
  const tables = files.flatMap((text) => (text === undefined ? [] : [parseToml(text) ?? {}]));
  return Object.fromEntries(tables.toReversed().flatMap((table) => Object.entries(table)));
}

/** The file that names a toolchain, or else the oldest one that the manifest says will do. */
export function toolchainOf(around: Surroundings, each: CargoPackage): Unit['toolchain'] {
  const path = nearest(around, each.manifest.root, TOOLCHAIN_FILES);
  const text = path === null ? undefined : around.snapshot.contents.get(path);
  if (path !== null && text !== undefined) {
    const bare = /^[\w.-]{1,60}$/u.test(text.trim()) ? text.trim() : null;
    const channel = bare ?? asText(memberOf(memberOf(parseToml(text), 'toolchain'), 'channel'));
    if (channel !== null && /^[\w.-]{1,60}$/u.test(channel)) return { name: 'rust', version: channel, evidence: path };
  }
  const oldest = asText(packageField(each.manifest, 'rust-version', inheritanceOf(each)));
  if (oldest === null || !/^\d+(?:\.\d+){0,2}$/u.test(oldest)) return null;
  return { name: 'rust', version: `>=${oldest}`, evidence: `rust-version of ${each.manifest.path}` };
}
