import { readFile } from 'node:fs/promises';
import { isAbsolute, resolve, dirname } from 'node:path';
import { ForgeName, RepositoryId } from '@delta-ci/contracts';
import { z } from 'zod';

/**
 * Which forges and repositories this installation serves, from one JSON file. Secrets are named, never written there:
 * `{ "env": "NAME" }` or `{ "file": "path relative to the settings file" }`.
 */
const SecretReference = z.union([
  z.strictObject({ env: z.string().min(1).max(200) }),
  z.strictObject({ file: z.string().min(1).max(4_096) }),
]);
type SecretReference = z.infer<typeof SecretReference>;

/** Everybody who may look at runs reads it, and the log keeps it. The user of an address of SSH says nothing. */
function hasNoCredentials(cloneUrl: string): boolean {
  const url = URL.parse(cloneUrl);
  return url === null || (url.password === '' && (url.username === '' || url.protocol === 'ssh:'));
}

export const ServedRepository = z.strictObject({
  id: RepositoryId,
  cloneUrl: z
    .string()
    .min(1)
    .max(2_000)
    .refine(hasNoCredentials, 'expected no user and no password in it: sourceToken names what reads the source'),
  defaultBranch: z.string().min(1).max(255).default('main'),
});
export type ServedRepository = z.infer<typeof ServedRepository>;

/** As the file has it: with the token for this one repository, where a forge can make such tokens. */
const RepositoryInFile = ServedRepository.extend({ sourceToken: SecretReference.nullable().default(null) });

const ForgeFile = z.strictObject({
  kind: z.enum(['github']),
  /** First part of the repository ids of this forge. */
  name: ForgeName,
  apiUrl: z.url({ protocol: /^https?$/ }),
  webhookSecret: SecretReference,
  /** For publishing checks; without one the forge is read only. */
  token: SecretReference.nullable().default(null),
  /**
   * For reading sources; handed to runners, so it must not be able to do anything else. A repository's own goes before it.
   */
  sourceToken: SecretReference.nullable().default(null),
  /** How repositories may be fetched: `https` unless somebody decides otherwise. */
  cloneProtocols: z
    .array(z.enum(['https', 'http', 'ssh']))
    .min(1)
    .default(['https']),
  /** Forges on this machine or a private network; off, such clone addresses are refused. */
  allowPrivateAddresses: z.boolean().default(false),
  /** Repositories that may start runs; a delivery of any other is refused. */
  repositories: z.array(RepositoryInFile).max(10_000),
});

const SettingsFile = z.strictObject({ forges: z.array(ForgeFile).max(50) });

/** One forge with its secrets read. */
export type ForgeSettings = Omit<
  z.infer<typeof ForgeFile>,
  'webhookSecret' | 'token' | 'sourceToken' | 'repositories'
> & {
  webhookSecret: string;
  token: string | null;
  repositories: ServedRepository[];
  /** What reads the source of a repository, for those that are not open to everybody. */
  sourceTokens: ReadonlyMap<RepositoryId, string>;
};

export type LoadedForges = { ok: true; forges: ForgeSettings[] } | { ok: false; problems: string[] };

/** Shorter secrets can be guessed: 16 characters is what GitHub's own documentation starts from. */
const SECRET_LENGTH_MIN = 16;

/**
 * Reads the settings file and the secrets it names. Answers all problems at once, each a sentence with the place.
 * @param env where `{ "env": ... }` secrets are looked up
 */
export async function loadForgeSettings(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<LoadedForges> {
  const parsed = await parseFile(path);
  if ('problems' in parsed) return { ok: false, problems: parsed.problems };
  const problems: string[] = [...duplicatesIn(parsed.forges)];
  const forges: ForgeSettings[] = [];
  for (const [index, forge] of parsed.forges.entries()) {
    const at = `${path}: forges[${index}]`;
    const webhookSecret = await readSecret(forge.webhookSecret, path, env);
    const token = forge.token === null ? null : await readSecret(forge.token, path, env);
    if (webhookSecret === null) problems.push(`${at}.webhookSecret: ${nameOf(forge.webhookSecret)} has no value`);
    else if (webhookSecret.length < SECRET_LENGTH_MIN)
      problems.push(`${at}.webhookSecret: expected at least ${SECRET_LENGTH_MIN} characters`);
    if (forge.token !== null && token === null) problems.push(`${at}.token: ${nameOf(forge.token)} has no value`);
    const sources = await sourceTokensOf(forge, path, env);
    problems.push(...sources.problems.map((problem) => `${at}.${problem}`));
    const { sourceToken: _, ...rest } = forge;
    const repositories = forge.repositories.map(({ sourceToken: __, ...repository }) => repository);
    if (webhookSecret !== null) forges.push({ ...rest, repositories, webhookSecret, token, ...sources });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, forges };
}

async function sourceTokensOf(
  forge: z.infer<typeof ForgeFile>,
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ sourceTokens: Map<RepositoryId, string>; problems: string[] }> {
  const sourceTokens = new Map<RepositoryId, string>();
  const problems = new Set<string>();
  for (const { id, sourceToken } of forge.repositories) {
    const reference = sourceToken ?? forge.sourceToken;
    if (reference === null) continue;
    const token = await readSecret(reference, path, env);
    if (token !== null) sourceTokens.set(id, token);
    else problems.add(`sourceToken: ${nameOf(reference)} has no value`);
  }
  return { sourceTokens, problems: [...problems] };
}

async function parseFile(path: string): Promise<z.infer<typeof SettingsFile> | { problems: string[] }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return { problems: [`${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`] };
  }
  const json = parseJson(text);
  if (json === undefined) return { problems: [`${path}: is not JSON`] };
  const settings = SettingsFile.safeParse(json);
  if (settings.success) return settings.data;
  return { problems: settings.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function duplicatesIn(forges: readonly { name: string; repositories: readonly ServedRepository[] }[]): string[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const forge of forges) {
    for (const name of [forge.name, ...forge.repositories.map((repository) => repository.id)]) {
      if (seen.has(name)) problems.push(`${name} is listed twice`);
      seen.add(name);
    }
    for (const { id } of forge.repositories) {
      if (!id.startsWith(`${forge.name}/`)) problems.push(`${id} must start with ${forge.name}/`);
    }
  }
  return problems;
}

async function readSecret(
  reference: SecretReference,
  settingsPath: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  if ('env' in reference) return env[reference.env] || null;
  const path = isAbsolute(reference.file) ? reference.file : resolve(dirname(settingsPath), reference.file);
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim() || null;
}

function nameOf(reference: SecretReference): string {
  return 'env' in reference ? `the variable ${reference.env}` : `the file ${reference.file}`;
}

/** The served repository with this id, and its forge. */
export function findServedRepository(
  forges: readonly ForgeSettings[],
  id: string,
): { forge: ForgeSettings; repository: ServedRepository } | null {
  for (const forge of forges) {
    const repository = forge.repositories.find((served) => served.id === id);
    if (repository !== undefined) return { forge, repository };
  }
  return null;
}

/**
 * The token that reads the source of a repository; null where there is none, and where it must not travel: to another
 * address than the settings have for that repository, or in the clear.
 */
export function findSourceToken(
  forges: readonly ForgeSettings[],
  { id, cloneUrl }: { readonly id: RepositoryId; readonly cloneUrl: string },
): string | null {
  const served = findServedRepository(forges, id);
  if (served === null || served.repository.cloneUrl !== cloneUrl || !cloneUrl.startsWith('https:')) return null;
  return served.forge.sourceTokens.get(id) ?? null;
}
