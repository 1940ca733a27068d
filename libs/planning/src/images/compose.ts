import { load } from 'js-yaml';
import { asRecord, asText, memberOf } from '../parsed-values.ts';
import { resolvePath } from '../tree-paths.ts';

/** What planning reads of a compose file; paths from the repository's root. */
export interface ComposeFile {
  readonly builds: readonly { readonly context: string; readonly dockerfile: string; readonly image: string | null }[];
  /** Files and folders that its services are given. */
  readonly files: readonly string[];
  readonly meaning: string;
}

const CHARS_MAX = 1_024 ** 2;
/** What services have in common is written once and repeated by name. */
const ALIASES_MAX = 200;

/** Null for what is no compose file. @param folder the one it lies in */
export function readCompose(text: string, folder: string): ComposeFile | null {
  const root = parsed(text);
  const services = Object.values(asRecord(memberOf(root, 'services')) ?? {});
  if (root === null) return null;
  const place = (written: unknown): string[] => {
    const path = asText(written) ?? '';
    return path === '' || path.includes('$') || /^[a-z][a-z+]*:/u.test(path)
      ? []
      : [resolvePath(folder, path) ?? []].flat();
  };
  const builds = services.flatMap((service) => {
    const build = said(service, 'build');
    const [context] = place(asText(build) ?? (build === undefined ? '' : (asText(memberOf(build, 'context')) ?? '.')));
    if (context === undefined) return [];
    const dockerfile = resolvePath(context, asText(memberOf(build, 'dockerfile')) ?? 'Dockerfile');
    return dockerfile === null ? [] : [{ context, dockerfile, image: asText(said(service, 'image')) }];
  });
  const given = services.flatMap((service) => [
    ...several(said(service, 'env_file')).flatMap((each) => place(asText(each) ?? memberOf(each, 'path'))),
    ...several(said(service, 'volumes')).flatMap((each) => place(mountOf(each))),
    ...place(memberOf(said(service, 'extends'), 'file')),
  ]);
  const named = ['configs', 'secrets'].flatMap((member) => Object.values(asRecord(memberOf(root, member)) ?? {}));
  const included = several(memberOf(root, 'include')).flatMap((each) => place(asText(each) ?? memberOf(each, 'path')));
  return {
    builds,
    files: [...new Set([...given, ...named.flatMap((each) => place(memberOf(each, 'file'))), ...included])],
    // As it is written: what is put together of aliases could be much more than that.
    meaning: text,
  };
}

/** What a service says itself, or by what it has in common with others. */
function said(service: unknown, name: string): unknown {
  const own = memberOf(service, name);
  if (own !== undefined) return own;
  return several(memberOf(service, '<<'))
    .map((each) => memberOf(each, name))
    .find((each) => each !== undefined);
}

function several(written: unknown): unknown[] {
  return Array.isArray(written) ? written : written === undefined ? [] : [written];
}

/** The side of a mount that lies in the repository: a name without a dot is that of a volume. */
function mountOf(written: unknown): string | null {
  const short = asText(written);
  if (short !== null) return short.startsWith('.') ? (short.split(':', 1)[0] ?? null) : null;
  return memberOf(written, 'type') === 'bind' ? asText(memberOf(written, 'source')) : null;
}

function parsed(text: string): ReturnType<typeof asRecord> {
  try {
    return text.length > CHARS_MAX ? null : asRecord(load(text, { maxAliases: ALIASES_MAX }));
  } catch {
    // The parser throws errors of several kinds: for what is not YAML, and for what nests too deeply.
    return null;
  }
}
