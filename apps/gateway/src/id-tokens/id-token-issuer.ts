import { randomUUID } from 'node:crypto';
import type { HandedOutIdToken, IdTokenRequest } from '@delta-ci/contracts';
import { SignJWT, type JWK } from 'jose';
import type { LeasedJob } from '../runners/lease-offer.ts';
import { claimsOf, subjectOf } from './id-token-claims.ts';
import { ALGORITHM, type SigningKeys } from './signing-keys.ts';

/** A token, and what may be told of it. */
export interface IssuedIdToken extends HandedOutIdToken {
  /** The token itself: a secret of the job. */
  readonly value: string;
}

export interface IssuerOptions {
  /** What tokens name as their issuer, and where this gateway is found under that name. No slash at its end. */
  readonly issuer: string;
  readonly keys: SigningKeys;
  /** No token holds longer, nor longer than its job may run. */
  readonly tokenMsMax: number;
  /** Whether an operator says that nobody pushes to this ref unless others agree. */
  readonly isProtected: (repository: string, ref: string) => boolean;
  readonly nowMs: () => number;
}

/** The path of the key set, below the issuer. */
const JWKS_PATH = '/.well-known/jwks.json';

/** Issues identity tokens for jobs, and tells everybody how to check them (OpenID Connect Discovery). */
export class IdTokenIssuer {
  readonly #options: IssuerOptions;

  constructor(options: IssuerOptions) {
    this.#options = options;
  }

  async issue({ name, audience }: IdTokenRequest, { plan, lease }: LeasedJob): Promise<IssuedIdToken> {
    const { issuer, keys, isProtected, nowMs, tokenMsMax } = this.#options;
    const issuedAtMs = nowMs();
    const expiresAtMs = issuedAtMs + Math.min(lease.maxRuntimeMs, tokenMsMax);
    const tokenId = randomUUID();
    const { id, key } = await keys.current();
    const claims = claimsOf(plan, lease, isProtected(plan.repository.id, plan.change.ref));
    const [only, ...more] = audience;
    const value = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM, kid: id, typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(subjectOf(claims))
      .setAudience(only !== undefined && more.length === 0 ? only : audience)
      .setJti(tokenId)
      .setIssuedAt(secondsOf(issuedAtMs))
      .setNotBefore(secondsOf(issuedAtMs))
      .setExpirationTime(secondsOf(expiresAtMs))
      .sign(key);
    return { name, audience, tokenId, expiresAtMs, value };
  }

  /** The document at `/.well-known/openid-configuration`. */
  get description(): object {
    const { issuer } = this.#options;
    return {
      issuer,
      jwks_uri: `${issuer}${JWKS_PATH}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [ALGORITHM],
      scopes_supported: ['openid'],
    };
  }

  async keySet(): Promise<{ keys: JWK[] }> {
    return { keys: await this.#options.keys.published() };
  }
}

const secondsOf = (ms: number): number => Math.floor(ms / 1_000);
