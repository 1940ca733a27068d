import { z } from 'zod';
import { EpochMs } from './ids.ts';

/** What a job calls a secret, and the variable that its steps find it in. */
export const SecretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,127}$/, 'expected up to 128 capitals, digits or "_", a capital first: NPM_TOKEN');
export type SecretName = z.infer<typeof SecretName>;

/** As many secrets as a job may name. */
export const SECRETS_PER_JOB_MAX = 100;
/** And as many identity tokens: one for each service that it speaks to. */
export const ID_TOKENS_PER_JOB_MAX = 10;

/** That a secret was handed out, and by which provider of the gateway's settings. Never its value. */
export const HandedOutSecret = z.strictObject({ name: SecretName, provider: z.string().min(1).max(50) });
export type HandedOutSecret = z.infer<typeof HandedOutSecret>;

/** For whom an identity token is; whoever is not among them refuses it. */
export const Audience = z.array(z.string().min(1).max(500)).min(1).max(10);

/** A token that says which job its bearer is, for services that trust the installation. */
export const IdTokenRequest = z.strictObject({ name: SecretName, audience: Audience });
export type IdTokenRequest = z.infer<typeof IdTokenRequest>;

/** That an identity token was handed out: for whom, and until when. Never the token. */
export const HandedOutIdToken = z.strictObject({
  ...IdTokenRequest.shape,
  /** The token's `jti`, by which whoever was shown the token can ask about it. */
  tokenId: z.string().min(1).max(100),
  expiresAtMs: EpochMs,
});
export type HandedOutIdToken = z.infer<typeof HandedOutIdToken>;

/** All that one lease hands out, once. */
export const HandOut = z.strictObject({
  secrets: z.array(HandedOutSecret).max(SECRETS_PER_JOB_MAX),
  idTokens: z.array(HandedOutIdToken).max(ID_TOKENS_PER_JOB_MAX),
});
export type HandOut = z.infer<typeof HandOut>;
