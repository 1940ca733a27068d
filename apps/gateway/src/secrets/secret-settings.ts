import { SecretName } from '@delta-ci/contracts';
import { z } from 'zod';

/** Where secrets are and which repositories get which of them: one JSON file, without any value in it. */

const ProviderName = z.string().regex(/^[a-z][a-z0-9-]{0,49}$/, 'expected lower-case letters, digits or "-"');

/** The address of a store: encrypted, unless the store is on this very machine. */
const StoreUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => {
    const { protocol, hostname } = new URL(url);
    return protocol === 'https:' || ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  }, 'expected https, or a store on this machine')
  .refine((url) => new URL(url).username === '' && new URL(url).search === '', 'expected no credential and no query');

const FilePath = z.string().min(1).max(4_096);
/** A path of Vault's, without the slashes at its ends. */
const Mount = z
  .string()
  .regex(/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/, 'expected a path without slashes at its ends');
const ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

const VaultSettings = z.strictObject({
  kind: z.literal('vault'),
  url: StoreUrl,
  mount: Mount.default('secret'),
  namespace: Mount.optional(),
  caFile: FilePath.optional(),
  auth: z.union([
    z.strictObject({ tokenFile: FilePath }),
    z.strictObject({ tokenEnv: z.string().min(1).max(200) }),
    z.strictObject({
      kubernetes: z.strictObject({
        role: z.string().min(1).max(200),
        mount: Mount.default('kubernetes'),
        tokenFile: FilePath.default(`${ACCOUNT_DIR}/token`),
      }),
    }),
  ]),
});
export type VaultSettings = z.infer<typeof VaultSettings>;

const KubernetesSettings = z.strictObject({
  kind: z.literal('kubernetes'),
  namespace: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected the name of a namespace'),
  url: StoreUrl.default('https://kubernetes.default.svc'),
  accountDir: FilePath.default(ACCOUNT_DIR),
});

const ProviderSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('env') }),
  z.strictObject({ kind: z.literal('files'), directory: FilePath }),
  VaultSettings,
  KubernetesSettings,
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

export const ProtectedRefs = z.strictObject({
  repositories: z.array(Pattern).min(1).max(1_000),
  refs: z.array(Pattern).min(1).max(1_000),
});
export type ProtectedRefs = z.infer<typeof ProtectedRefs>;

export const SecretSettings = z.strictObject({
  providers: z.record(ProviderName, ProviderSettings),
  grants: z.array(SecretGrant).max(10_000),
  /** Refs to which nobody pushes unless others agree; identity tokens say so. */
  protected: z.array(ProtectedRefs).max(10_000).default([]),
});
export type SecretSettings = z.infer<typeof SecretSettings>;

/** Whether `name` is what the pattern says. */
export function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
