import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createHash } from 'node:crypto';
import {
  canonicalJson,
  parseRecordedEvent,
  type Json,
  type Plan,
  type PlanStatement,
  type RecordedEvent,
  type RunId,
} from '@delta-ci/contracts';
import type { RunBundle, SigningKey } from '@delta-ci/event-log';
import { planDigestIn, planStatementOf } from '@delta-ci/planning';
import { errorCode, errorMessage } from '../error-code.ts';
import { withAuditSource, type AuditOptions, type OpenedLog } from '../log/audit-source.ts';
import { collectBundle } from '../log/collect-bundle.ts';
import { fileAbove } from '../log/mesh-of-checkout.ts';
import { trustedKeys } from '../log/trusted-keys.ts';
import type { EventLog } from '../log/with-log.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { findingText } from '../screen/audit-text.ts';
import { plural } from '../screen/words.ts';
import { writeNewFile } from '../text-file.ts';
import { printJson, variable, type Surroundings } from '../surroundings.ts';

export interface AttestOptions extends AuditOptions {
  /** Default: standard output. */
  readonly output?: string;
  /** File with the private key that signs. */
  readonly key?: string;
}

/** Where a mesh that was started in a checkout keeps the key that signs its checkpoints. */
const MESH_KEY = join('.delta', 'orchestrator', 'checkpoint-key.pem');

/**
 * `delta attest`: states what was run for a commit, what was not, and why, and signs it. Only what is proven by the log's own
 * checkpoints is stated.
 */
export async function attest(surroundings: Surroundings, runId: RunId, options: AttestOptions): Promise<ExitCode> {
  return withAuditSource(surroundings, options, async (opened) => {
    const { eventLog } = opened;
    const key = await signingKey(surroundings, options, eventLog);
    const keys = await trustedKeys(surroundings, options, eventLog);
    const bundle = await collectBundle(opened, runId, keys);
    const { finding } = eventLog.checkBundle(bundle, keys);
    if (finding !== null) throw new Problem('not_as_recorded', findingText(finding), { exitCode: EXIT.failed });
    const statement = await statementOf(opened, bundle);
    const text = `${JSON.stringify(eventLog.sealStatement(statement, key))}\n`;
    if (options.output === undefined) {
      surroundings.out(text);
      return EXIT.succeeded;
    }
    await writeNewFile(resolve(surroundings.directory, options.output), text);
    const { ran, notRun, log } = statement.predicate;
    const facts = {
      runId,
      output: options.output,
      ran: ran.length,
      notRun: notRun.length,
      head: log.head,
      keyId: key.keyId,
    };
    if (options.json === true) printJson(surroundings, facts);
    else
      surroundings.out(
        `${options.output}: ${plural(facts.ran, 'job')} that ran and ${plural(facts.notRun, 'job')} that did not, bound to the log at ${log.head.position}; check it: delta attest verify ${options.output}\n`,
      );
    return EXIT.succeeded;
  });
}

async function statementOf(opened: OpenedLog, bundle: RunBundle): Promise<PlanStatement> {
  const records = recordsIn(bundle);
  const checkpoint = bundle.segments.at(-1)?.checkpoint;
  const digest = planDigestIn(records);
  if (digest === null || checkpoint === undefined) throw nothingToState(bundle.runId);
  const statement = planStatementOf({ records, plan: await planUnder(opened, bundle.runId, digest), checkpoint });
  if (statement === null) throw nothingToState(bundle.runId);
  return statement;
}

const nothingToState = (runId: RunId): Problem =>
  new Problem('nothing_to_attest', `${runId} has not ended, never had a plan, or was for debugging`, {
    exitCode: EXIT.notJudged,
    next: `see how it stands: delta runs view ${runId}`,
  });

/** What is proven is text; what it says is read in the current version of its type. */
function recordsIn({ segments }: RunBundle): RecordedEvent[] {
  const texts = segments.flatMap(({ lines }) => lines.filter((line) => line.startsWith('{')));
  return texts.map((text) => {
    const parsed = parseRecordedEvent({ ...(JSON.parse(text) as object), prevHash: '', hash: '' });
    if (parsed.success) return parsed.data;
    throw new Problem('unknown_record', `a record is of a kind this version does not know: ${parsed.error.message}`, {
      exitCode: EXIT.notJudged,
    });
  });
}

/** Whoever hands out the plan is not believed: its digest is recorded. */
async function planUnder({ planOf, through }: OpenedLog, runId: RunId, digest: string): Promise<Plan> {
  const plan = await planOf(runId, digest);
  if (plan === null) throw new Problem('not_found', `${through} has no plan ${digest}`, { exitCode: EXIT.notJudged });
  const actual = `sha256:${createHash('sha256')
    .update(canonicalJson(plan as Json))
    .digest('hex')}`;
  if (actual === digest) return plan;
  throw new Problem('not_as_recorded', `the plan of ${runId} is recorded as ${digest}, and ${through} has ${actual}`, {
    exitCode: EXIT.failed,
  });
}

async function signingKey(
  surroundings: Surroundings,
  { key }: AttestOptions,
  { readSigningKey }: EventLog,
): Promise<SigningKey> {
  const named = key ?? variable(surroundings, 'DELTA_ATTESTATION_KEY_FILE');
  const path = named === null ? await fileAbove(surroundings, MESH_KEY) : resolve(surroundings.directory, named);
  if (path === null) throw noSigningKey('no key to sign with');
  try {
    return readSigningKey(await readFile(path, 'utf8'));
  } catch (error) {
    throw noSigningKey(`${path}: ${errorCode(error) ?? errorMessage(error)}`);
  }
}

const noSigningKey = (message: string): Problem =>
  new Problem('no_signing_key', message, {
    next: 'name the file of an Ed25519 private key: --key or DELTA_ATTESTATION_KEY_FILE; `openssl genpkey -algorithm ed25519` makes one',
  });
