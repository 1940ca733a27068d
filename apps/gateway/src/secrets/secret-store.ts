import type { SecretName } from '@delta-ci/contracts';
import { whyNoSecret } from '@delta-ci/service';
import type { Found, SecretProvider } from './secret-provider.ts';
import { matches, type ProtectedRefs, type SecretGrant } from './secret-settings.ts';

/** Whose secrets are looked for. */
export interface SecretScope {
  /** Id of the repository. */
  readonly repository: string;
  /** The full ref of the change. */
  readonly ref: string;
}

export interface HeldSecret {
  readonly name: SecretName;
  /** As the settings call it. */
  readonly provider: string;
  readonly value: string;
}

/** All secrets that were asked for, or a sentence about each that cannot be had, and whether the settings grant all of them. */
export type FoundSecrets =
  | { readonly ok: true; readonly secrets: readonly HeldSecret[] }
  | { readonly ok: false; readonly problems: readonly string[]; readonly areGranted: boolean };

interface Missing {
  readonly problem: string;
  readonly isGranted: boolean;
}

/** Longer than a slow store needs, and much shorter than a lease waits to be acknowledged. */
const SEARCH_MS = 10_000;

/** Secrets of all providers, as far as a repository is granted them. Nothing is kept: each search asks anew. */
export class SecretStore {
  readonly #providers: ReadonlyMap<string, SecretProvider>;
  readonly #grants: readonly SecretGrant[];
  readonly #protected: readonly ProtectedRefs[];

  constructor(
    providers: ReadonlyMap<string, SecretProvider>,
    grants: readonly SecretGrant[],
    protectedRefs: readonly ProtectedRefs[],
  ) {
    this.#providers = providers;
    this.#grants = grants;
    this.#protected = protectedRefs;
  }

  /** Whether the settings say that nobody pushes to this ref unless others agree. */
  isProtected({ repository, ref }: SecretScope): boolean {
    return this.#protected.some(
      ({ repositories, refs }) =>
        repositories.some((pattern) => matches(pattern, repository)) && refs.some((pattern) => matches(pattern, ref)),
    );
  }

  /** All of `names`, or none of them. The first grant that fits a name decides about it. */
  async find(scope: SecretScope, names: readonly SecretName[]): Promise<FoundSecrets> {
    const signal = AbortSignal.timeout(SEARCH_MS);
    const found = await Promise.all(names.map(async (name) => this.#findOne(scope, name, signal)));
    const secrets = found.filter((one): one is HeldSecret => !('problem' in one));
    const missing = found.filter((one): one is Missing => 'problem' in one);
    if (missing.length > 0) {
      const areGranted = missing.every(({ isGranted }) => isGranted);
      return { ok: false, problems: missing.map(({ problem }) => problem), areGranted };
    }
    return { ok: true, secrets };
  }

  /** The secret, or a sentence about why it cannot be had and what to do. */
  async #findOne(scope: SecretScope, name: SecretName, signal: AbortSignal): Promise<HeldSecret | Missing> {
    const grant = this.#grants.find((candidate) => gives(candidate, scope, name));
    const place = grant?.secrets[name];
    const provider = grant === undefined ? undefined : this.#providers.get(grant.provider);
    if (grant === undefined || place === undefined || provider === undefined) {
      const problem = `the secret ${name} is not granted to ${scope.repository} on ${scope.ref}: an operator can add it to the gateway's file of secrets (DELTA_SECRETS_FILE)`;
      return { problem, isGranted: false };
    }
    const found = await search(provider, place, signal);
    const of = `the secret ${name} of the provider ${grant.provider} cannot be used`;
    const why = found.ok ? whyNoSecret(found.value) : found.why;
    if (!found.ok || why !== null) return { problem: `${of}: ${why}`, isGranted: true };
    return { name, provider: grant.provider, value: found.value };
  }
}

function gives({ repositories, refs, secrets }: SecretGrant, { repository, ref }: SecretScope, name: string): boolean {
  return (
    Object.hasOwn(secrets, name) &&
    repositories.some((pattern) => matches(pattern, repository)) &&
    (refs === undefined || refs.some((pattern) => matches(pattern, ref)))
  );
}

/** Ends with the signal, whatever the provider does. */
async function search(provider: SecretProvider, place: string, signal: AbortSignal): Promise<Found> {
  const { promise, resolve } = Promise.withResolvers<Found>();
  const late = (): void => resolve({ ok: false, why: `there was no answer within ${SEARCH_MS} ms` });
  signal.addEventListener('abort', late, { once: true });
  try {
    return await Promise.race([provider.find(place, signal), promise]);
  } finally {
    signal.removeEventListener('abort', late);
  }
}
