import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { EnvProvider } from './env-provider.ts';
import { FilesProvider } from './files-provider.ts';
import type { SecretProvider } from './secret-provider.ts';
import { SecretSettings, type ProviderSettings, type SecretGrant } from './secret-settings.ts';
import { SecretStore } from './secret-store.ts';

export type LoadedSecrets = { ok: true; store: SecretStore } | { ok: false; problems: string[] };

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings file and makes what it names. Answers all problems at once, each a sentence with the place.
 * @param path null when no secrets are served: every job that names one is refused
 * @param env where providers of the kind `env` look
 */
export async function loadSecrets(path: string | null, env: Env): Promise<LoadedSecrets> {
  if (path === null) return { ok: true, store: new SecretStore(new Map(), []) };
  const parsed = await parseFile(path);
  if ('problems' in parsed) return { ok: false, problems: parsed.problems };
  const problems: string[] = [];
  const providers = new Map<string, SecretProvider>();
  for (const [name, settings] of Object.entries(parsed.providers)) {
    const made = await providerOf(settings, path, env);
    if (typeof made === 'string') problems.push(`${path}: providers.${name}: ${made}`);
    else providers.set(name, made);
  }
  const known = Object.keys(parsed.providers);
  for (const [index, grant] of parsed.grants.entries())
    problems.push(...problemsOf(grant, providers, known).map((problem) => `${path}: grants[${index}].${problem}`));
  return problems.length > 0 ? { ok: false, problems } : { ok: true, store: new SecretStore(providers, parsed.grants) };
}

async function parseFile(path: string): Promise<SecretSettings | { problems: string[] }> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    // What JSON.parse says quotes the text, which somebody may have written a value into.
    const why = error instanceof SyntaxError ? 'is not JSON' : `cannot be read (${String(error)})`;
    return { problems: [`${path}: ${why}`] };
  }
  const settings = SecretSettings.safeParse(content);
  if (settings.success) return settings.data;
  return { problems: settings.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`) };
}

/** The provider, or why it cannot be used. */
async function providerOf(settings: ProviderSettings, path: string, env: Env): Promise<SecretProvider | string> {
  switch (settings.kind) {
    case 'env':
      return new EnvProvider(env);
    case 'files': {
      const directory = resolve(dirname(path), settings.directory);
      const facts = await stat(directory).catch(() => null);
      return facts?.isDirectory() === true ? new FilesProvider(directory) : `${directory} is not a directory`;
    }
  }
}

function problemsOf(
  { provider: name, secrets }: SecretGrant,
  providers: ReadonlyMap<string, SecretProvider>,
  known: readonly string[],
): string[] {
  if (!known.includes(name)) return [`provider: there is no provider ${name}`];
  const provider = providers.get(name);
  return Object.entries(secrets).flatMap(([secret, place]) => {
    const why = provider?.whyNoPlace(place) ?? null;
    return why === null ? [] : [`secrets.${secret}: ${why}`];
  });
}
