import {
  ERROR_MESSAGE_CHARS_MAX,
  type CompletionReport,
  type HandOut,
  type InfrastructureError,
  type LeaseHash,
  type Refusal,
  type RunnerId,
} from '@delta-ci/contracts';
import type { CommandClient } from '@delta-ci/bus';
import { SECRETS_BYTES_MAX } from '@delta-ci/service';
import type { CommandEnvelope } from '../command-ids.ts';
import type { IdTokenIssuer } from '../id-tokens/id-token-issuer.ts';
import type { LeasedJob } from '../runners/lease-offer.ts';
import type { SecretStore } from './secret-store.ts';

/** Values by name, for this one lease; or why the job cannot have them. */
export type HandedOut =
  | { readonly ok: true; readonly values: Readonly<Record<string, string>> }
  /** The job cannot have what it names; null when that is not known, because the log could not be told. */
  | { readonly ok: false; readonly error: InfrastructureError | null };

export interface HandOutParts {
  readonly commands: Pick<CommandClient, 'send'>;
  readonly secrets: SecretStore;
  readonly idTokens: IdTokenIssuer | null;
}

/** The lease that was granted, and its runner, as commands name them. */
export interface Holder {
  readonly leaseHash: LeaseHash;
  readonly runnerId: RunnerId;
}

const NOTHING: HandedOut = { ok: true, values: {} };

/** Somebody settled that the job does not get them; the next attempt would hear the same. */
const notOffered = (message: string): HandedOut => ({ ok: false, error: { code: 'not_offered', message } });

/**
 * Finds the secrets that a job names, and makes its tokens, and has the log note, before any value leaves, that this lease hands
 * them out. The log also decides again whether the change is trusted. All of them or none: no job runs without what it asks for.
 */
export async function handOutSecrets(
  { commands, secrets, idTokens: issuer }: HandOutParts,
  leased: LeasedJob,
  holder: Holder,
  envelope: CommandEnvelope,
): Promise<HandedOut> {
  const { plan, job } = leased;
  const { secrets: names, idTokens: requests = [] } = job;
  if (names.length === 0 && requests.length === 0) return NOTHING;
  if (plan.trust !== 'trusted') return notOffered('the change is not trusted, and gets no secrets');
  if (requests.length > 0 && issuer === null)
    return notOffered(
      `the token ${requests[0]?.name} cannot be had: this installation issues none; an operator can have it issue them (DELTA_ID_TOKEN_ISSUER of the gateway)`,
    );
  const found = await secrets.find({ repository: plan.repository.id, ref: plan.change.ref }, names);
  if (!found.ok) {
    const message = found.problems.join('; ');
    return found.areGranted ? { ok: false, error: { code: 'secret_unavailable', message } } : notOffered(message);
  }
  const tokens = issuer === null ? [] : await Promise.all(requests.map(async (one) => issuer.issue(one, leased)));
  const values = [...found.secrets, ...tokens].map(({ name, value }) => [name, value] as const);
  const bytes = values.reduce((sum, [, value]) => sum + Buffer.byteLength(value), 0);
  if (bytes > SECRETS_BYTES_MAX)
    return notOffered(`the secrets of the job have more than ${SECRETS_BYTES_MAX} bytes together`);
  const refused = await note(commands, holder, envelope, {
    secrets: found.secrets.map(({ name, provider }) => ({ name, provider })),
    idTokens: tokens.map(({ name, audience, tokenId, expiresAtMs }) => ({ name, audience, tokenId, expiresAtMs })),
  });
  if (refused === null) return { ok: true, values: Object.fromEntries(values) };
  return refused.code === 'forbidden' ? notOffered(refused.message) : { ok: false, error: null };
}

/** Null once it is noted. Under the same id the first answer comes again, if it was only lost. */
async function note(
  commands: HandOutParts['commands'],
  holder: Holder,
  envelope: CommandEnvelope,
  handOut: HandOut,
): Promise<Refusal | null> {
  const send = async () => commands.send('hand-out-secrets', { ...holder, handOut }, envelope);
  const first = await send();
  const noted = first.ok || first.refusal.code !== 'timed_out' ? first : await send();
  return noted.ok ? null : noted.refusal;
}

/** How an attempt ended that never began, because its secrets cannot be had. */
export function neverBegan({ code, message: why }: InfrastructureError, nowMs: number): CompletionReport {
  const message = why.slice(0, ERROR_MESSAGE_CHARS_MAX).toWellFormed();
  return {
    outcome: 'failed',
    exitCode: null,
    signal: null,
    steps: [],
    usage: { wallMs: 0, cpuMs: null, memoryPeakBytes: null },
    artifacts: [],
    caches: [],
    infrastructureError: { code, message },
    logBytes: 0,
    logTruncated: false,
    runnerStartedAtMs: nowMs,
    runnerFinishedAtMs: nowMs,
    summary: message,
  };
}
