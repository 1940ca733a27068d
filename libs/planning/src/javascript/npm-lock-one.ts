import { asRecord, asText, memberOf, type ParsedRecord } from '../parsed-values.ts';

/** Real installs nest a handful of levels; every level makes the names of those below it longer. */
const DEPTH_MAX = 32;

/**
 * The packages of a lockfile of version 1 by their locations, as later versions list them: what version 1 calls
 * `requires` are then the dependencies. Null when they nest too deeply.
 */
export function nestedPackages(root: ParsedRecord): ParsedRecord | null {
  const packages: [location: string, entry: unknown][] = [];
  const pending = [{ at: '', depth: 0, nested: memberOf(root, 'dependencies') }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.depth > DEPTH_MAX) return null;
    for (const [name, value] of Object.entries(asRecord(next.nested) ?? {})) {
      const entry = asRecord(value);
      if (entry === null) continue;
      const at = `${next.at}node_modules/${name}`;
      packages.push([at, listed(entry)]);
      const nested = entry['dependencies'];
      if (nested !== undefined) pending.push({ at: `${at}/`, depth: next.depth + 1, nested });
    }
  }
  return Object.fromEntries(packages);
}

function listed({ dependencies: _nested, requires, ...entry }: ParsedRecord): ParsedRecord {
  const folder = /^file:(.+)$/u.exec(asText(entry['version']) ?? '')?.[1];
  // A folder stands where it is; an archive is a package like any other.
  const link = folder !== undefined && !/\.(?:tgz|tar\.gz|tar)$/u.test(folder);
  return { ...entry, dependencies: requires, ...(link ? { link: true, resolved: folder } : {}) };
}
