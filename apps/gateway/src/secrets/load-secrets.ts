import { access, constants, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { EnvProvider } from './env-provider.ts';
import { FilesProvider } from './files-provider.ts';
import { KubernetesProvider } from './kubernetes-provider.ts';
import type { SecretProvider } from './secret-provider.ts';
import { SecretSettings, type ProviderSettings, type SecretGrant, type VaultSettings } from './secret-settings.ts';
import { SecretStore } from './secret-store.ts';
import { VaultProvider, type VaultAuth } from './vault-provider.ts';

export type LoadedSecrets = { ok: true; store: SecretStore } | { ok: false; problems: string[] };

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings file and makes what it names. Answers all problems at once, each a sentence with the place.
 * @param path null when no secrets are served: every job that names one is refused
 * @param env where providers of the kind `env` look
 */
export async function loadSecrets(path: string | null, env: Env): Promise<LoadedSecrets> {
  if (path === null) return { ok: true, store: new SecretStore(new Map(), [], []) };
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
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, store: new SecretStore(providers, parsed.grants, parsed.protected) };
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
    case 'vault':
      return vaultOf(settings, path, env);
    case 'kubernetes': {
      const accountDir = resolve(dirname(path), settings.accountDir);
      const files = settings.url.startsWith('https:') ? ['token', 'ca.crt'] : ['token'];
      const missing = await firstUnreadable(files.map((name) => join(accountDir, name)));
      if (missing !== null) return `${missing} cannot be read`;
      return new KubernetesProvider({ url: directoryOf(settings.url), namespace: settings.namespace, accountDir });
    }
  }
}

async function vaultOf(settings: VaultSettings, path: string, env: Env): Promise<SecretProvider | string> {
  const { auth, mount, namespace } = settings;
  const beside = (file: string): string => resolve(dirname(path), file);
  const caFile = settings.caFile === undefined ? [] : [beside(settings.caFile)];
  const tokenFile = 'kubernetes' in auth ? auth.kubernetes.tokenFile : 'tokenFile' in auth ? auth.tokenFile : null;
  const missing = await firstUnreadable([...caFile, ...(tokenFile === null ? [] : [beside(tokenFile)])]);
  if (missing !== null) return `${missing} cannot be read`;
  if ('tokenEnv' in auth && !env[auth.tokenEnv]) return `the variable ${auth.tokenEnv} has no value`;
  const [ca] = await Promise.all(caFile.map(async (file) => readFile(file, 'utf8')));
  return new VaultProvider({
    url: directoryOf(settings.url),
    mount,
    ...(namespace === undefined ? {} : { namespace }),
    ...(ca === undefined ? {} : { ca }),
    auth: authOf(auth, beside, env),
    nowMs: () => performance.now(),
  });
}

/** Credentials in files are read anew each time: whoever put them there changes them. */
function authOf(auth: VaultSettings['auth'], beside: (file: string) => string, env: Env): VaultAuth {
  const textIn = async (file: string): Promise<string> => (await readFile(beside(file), 'utf8')).trim();
  if ('tokenFile' in auth) return { kind: 'token', token: async () => textIn(auth.tokenFile) };
  if ('tokenEnv' in auth) return { kind: 'token', token: async () => Promise.resolve(env[auth.tokenEnv] ?? '') };
  const { role, mount, tokenFile } = auth.kubernetes;
  return { kind: 'kubernetes', role, mount, jwt: async () => textIn(tokenFile) };
}

/** An address that paths go below. */
const directoryOf = (url: string): URL => new URL(url.endsWith('/') ? url : `${url}/`);

async function firstUnreadable(files: readonly string[]): Promise<string | null> {
  for (const file of files) {
    const readable = await access(file, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!readable) return file;
  }
  return null;
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
