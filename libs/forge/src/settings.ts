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

export const ServedRepository = z.strictObject({
  id: RepositoryId,
  cloneUrl: z.string().min(1).max(2_000),
  defaultBranch: z.string().min(1).max(255).default('main'),
});
export type ServedRepository = z.infer<typeof ServedRepository>;

const ForgeFile = z.strictObject({
  kind: z.enum(['github']),
  /** First part of the repository ids of this forge. */
  name: ForgeName,
  apiUrl: z.url({ protocol: /^https?$/ }),
  webhookSecret: SecretReference,
  /** For publishing checks; without one the forge is read only. */
  token: SecretReference.nullable().default(null),
  /** How repositories may be fetched: `https` unless somebody decides otherwise. */
  cloneProtocols: z
    .array(z.enum(['https', 'http', 'ssh']))
    .min(1)
    .default(['https']),
  /** Forges on this machine or a private network; off, such clone addresses are refused. */
  allowPrivateAddresses: z.boolean().default(false),
  /** Repositories that may start runs; a delivery of any other is refused. */
  repositories: z.array(ServedRepository).max(10_000),
});

const SettingsFile = z.strictObject({ forges: z.array(ForgeFile).max(50) });

/** One forge with its secrets read. */
export type ForgeSettings = Omit<z.infer<typeof ForgeFile>, 'webhookSecret' | 'token'> & {
  webhookSecret: string;
  token: string | null;
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
    if (webhookSecret !== null) forges.push({ ...forge, webhookSecret, token });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, forges };
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
