import type { CompletionReport, LeaseHash, Plan, PlannedJob, RunnerId } from '@delta-ci/contracts';
import type { CommandClient } from '@delta-ci/bus';
import type { CommandEnvelope } from '../command-ids.ts';
import type { SecretStore } from './secret-store.ts';

/** Values by name, for this one lease; or why the job cannot have them. */
export type HandedOut =
  | { readonly ok: true; readonly values: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly why: string };

export interface HandOutParts {
  readonly commands: Pick<CommandClient, 'send'>;
  readonly secrets: SecretStore;
}

/** The lease that was granted, and its runner, as commands name them. */
export interface Holder {
  readonly leaseHash: LeaseHash;
  readonly runnerId: RunnerId;
}

const NOTHING: HandedOut = { ok: true, values: {} };

/**
 * Finds the secrets that a job names and has the log note, before any value leaves, that this lease hands them out. The log
 * also decides again whether the change is trusted. All of them or none: no job runs without what it asks for.
 */
export async function handOutSecrets(
  { commands, secrets }: HandOutParts,
  { plan, job }: { readonly plan: Plan; readonly job: PlannedJob },
  holder: Holder,
  envelope: CommandEnvelope,
): Promise<HandedOut> {
  if (job.secrets.length === 0) return NOTHING;
  if (plan.trust !== 'trusted') return { ok: false, why: 'the change is not trusted, and gets no secrets' };
  const found = await secrets.find({ repository: plan.repository.id, ref: plan.change.ref }, job.secrets);
  if (!found.ok) return { ok: false, why: found.problems.join('; ') };
  const handOut = { secrets: found.secrets.map(({ name, provider }) => ({ name, provider })), idTokens: [] };
  const note = async () => commands.send('hand-out-secrets', { ...holder, handOut }, envelope);
  const first = await note();
  // Under the same id the first answer comes again, if it was only lost.
  const noted = first.ok || first.refusal.code !== 'timed_out' ? first : await note();
  if (!noted.ok) return { ok: false, why: noted.refusal.message };
  return { ok: true, values: Object.fromEntries(found.secrets.map(({ name, value }) => [name, value])) };
}

/** As long as a report's words on an error may be. */
const MESSAGE_CHARACTERS_MAX = 5_000;

/** How an attempt ended that never began, because its secrets cannot be had. */
export function neverBegan(why: string, nowMs: number): CompletionReport {
  const message = why.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed();
  return {
    outcome: 'failed',
    exitCode: null,
    signal: null,
    steps: [],
    usage: { wallMs: 0, cpuMs: null, memoryPeakBytes: null },
    artifacts: [],
    caches: [],
    infrastructureError: { code: 'secret_unavailable', message },
    logBytes: 0,
    logTruncated: false,
    runnerStartedAtMs: nowMs,
    runnerFinishedAtMs: nowMs,
    summary: message,
  };
}
