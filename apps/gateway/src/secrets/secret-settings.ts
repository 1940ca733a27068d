import { SecretName } from '@delta-ci/contracts';
import { z } from 'zod';

/** Where secrets are and which repositories get which of them: one JSON file, without any value in it. */

const ProviderName = z.string().regex(/^[a-z][a-z0-9-]{0,49}$/, 'expected lower-case letters, digits or "-"');

const ProviderSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('env') }),
  z.strictObject({ kind: z.literal('files'), directory: z.string().min(1).max(4_096) }),
]);
export type ProviderSettings = z.infer<typeof ProviderSettings>;

/** A name, or its beginning and `*` for everything that goes on with it. */
const Pattern = z
  .string()
  .min(1)
  .max(1_000)
  .regex(/^[^*]*\*?$/, 'expected a name, or its beginning followed by one *');

export const SecretGrant = z.strictObject({
  /** Ids of repositories. */
  repositories: z.array(Pattern).min(1).max(1_000),
  /** Full refs of changes that get them; any ref when left out. */
  refs: z.array(Pattern).min(1).max(1_000).optional(),
  provider: ProviderName,
  /** For each secret: where the provider has it. */
  secrets: z.record(SecretName, z.string().min(1).max(1_000)),
});
export type SecretGrant = z.infer<typeof SecretGrant>;

export const SecretSettings = z.strictObject({
  providers: z.record(ProviderName, ProviderSettings),
  grants: z.array(SecretGrant).max(10_000),
});
export type SecretSettings = z.infer<typeof SecretSettings>;

/** Whether `name` is what the pattern says. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
