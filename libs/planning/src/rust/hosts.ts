import { asText, memberOf } from '../parsed-values.ts';
import { byText } from '../tree-paths.ts';
import type { CargoLock } from './cargo-lock.ts';
import type { CargoSource } from './manifest.ts';

/** Where the index of the public registry is read and its packages are downloaded. */
const REGISTRY_HOSTS = ['index.crates.io', 'static.crates.io'];

/** As many as a job may name. */
const HOSTS_MAX = 200;

/** Hosts that packages of a workspace come from: by its lockfile, or by what its manifests ask for. */
export function hostsOf(lock: CargoLock | undefined, sources: readonly CargoSource[], config: unknown): string[] {
  const found =
    lock?.kind === 'read'
      ? [...lock.packages.values()].flat().flatMap(({ source }) => (source === null ? [] : hostsOfSource(source)))
      : sources.flatMap(({ folder, git }) => (folder !== null ? [] : git === null ? REGISTRY_HOSTS : hostOf(git)));
  const hosts = replaced(config) ?? found;
  return [...new Set(hosts)].sort(byText).slice(0, HOSTS_MAX);
}

function hostsOfSource(source: string): string[] {
  const registry =
    /^(?:registry\+https:\/\/github\.com\/rust-lang\/crates\.io-index|sparse\+https:\/\/index\.crates\.io\/)/u;
  return registry.test(source) ? REGISTRY_HOSTS : hostOf(source);
}

/** Hosts that stand in for the public registry; none where packages lie in a folder. Null when nothing does. */
function replaced(config: unknown): string[] | null {
  const sources = memberOf(config, 'source');
  const name = asText(memberOf(memberOf(sources, 'crates-io'), 'replace-with'));
  const by = name === null ? undefined : memberOf(sources, name);
  if (asText(memberOf(by, 'directory')) !== null || asText(memberOf(by, 'local-registry')) !== null) return [];
  const registry = asText(memberOf(by, 'registry'));
  return registry === null ? null : hostOf(registry);
}

function hostOf(address: string): string[] {
  const host = /^[a-z+]+:\/\/(?:[^/@\s]*@)?([A-Za-z0-9.-]{1,253})(?::\d+)?(?:[/?#]|$)/u.exec(address)?.[1];
  return host === undefined ? [] : [host.toLowerCase()];
}
