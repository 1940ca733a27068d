import { z } from 'zod';

/** As much of a gateway's file of secrets as says which variables of its process it looks into. */
const Named = z.object({
  providers: z.record(
    z.string(),
    z.object({ kind: z.string(), auth: z.object({ tokenEnv: z.string().optional() }).optional() }),
  ),
  grants: z.array(z.object({ provider: z.string(), secrets: z.record(z.string(), z.string()) })),
});

/**
 * The variables in which a gateway with these settings of secrets would look for a value: those that grants of a provider of
 * the kind `env` name, and those with tokens of Vault. None in settings that a gateway would refuse.
 * @param text content of the file in `DELTA_SECRETS_FILE`
 */
export function secretVariables(text: string): string[] {
  const named = Named.safeParse(parsed(text));
  if (!named.success) return [];
  const { providers, grants } = named.data;
  const places = grants
    .filter(({ provider }) => providers[provider]?.kind === 'env')
    .flatMap(({ secrets }) => Object.values(secrets));
  const tokens = Object.values(providers).flatMap(({ auth }) => auth?.tokenEnv ?? []);
  return [...new Set([...places, ...tokens])].filter((name) => !name.startsWith('DELTA_')).sort();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
