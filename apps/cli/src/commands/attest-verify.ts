import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PlanStatement } from '@delta-ci/contracts';
import type { AttestationProblem } from '@delta-ci/event-log';
import { errorCode, errorMessage } from '../error-code.ts';
import { trustedKeys, type KeyOptions } from '../log/trusted-keys.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { safeLine } from '../screen/safe-text.ts';
import { table } from '../screen/table.ts';
import { plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface AttestVerifyOptions extends KeyOptions {
  readonly json?: boolean;
}

/** `delta attest verify`: judges an attestation from its file and trusted keys alone, and says what it states. */
export async function verifyAttestation(
  surroundings: Surroundings,
  file: string,
  options: AttestVerifyOptions,
): Promise<ExitCode> {
  const eventLog = await import('@delta-ci/event-log');
  const text = await read(resolve(surroundings.directory, file), eventLog.ENVELOPE_BYTES_MAX);
  const opened = eventLog.openEnvelope(text, await trustedKeys(surroundings, options, eventLog));
  if (!opened.ok) {
    throw new Problem(opened.problem, `${file}: ${opened.message}`, {
      exitCode: NOT_JUDGED.has(opened.problem) ? EXIT.notJudged : EXIT.failed,
    });
  }
  const { statement, keyId } = opened;
  if (options.json === true) printJson(surroundings, { keyId, statement });
  else surroundings.out(statementText(surroundings, statement, keyId));
  return EXIT.succeeded;
}

/** Nothing is known to be wrong: somebody else's keys may tell. */
const NOT_JUDGED: ReadonlySet<AttestationProblem> = new Set(['untrusted_key', 'log_head_not_signed']);

async function read(path: string, bytesMax: number): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= bytesMax) return await readFile(path, 'utf8');
    throw new Error(`it has ${size} bytes`);
  } catch (error) {
    throw new Problem('file_unreadable', `${path} cannot be read: ${errorCode(error) ?? errorMessage(error)}`);
  }
}

/** What is stated, for people: the commit, what ran, what did not, each with the rules that say why. */
export function statementText(
  surroundings: Surroundings,
  { subject: [commit], predicate }: PlanStatement,
  keyId: string,
): string {
  const { run, plan, ran, notRun, log } = predicate;
  const rows = [
    ...ran.map(({ key, outcome, shadow, attempts, why }) => [
      key,
      shadow ? `${outcome} (shadow)` : outcome,
      String(attempts.length),
      why.rules.join(', '),
    ]),
    ...notRun.map(({ key, why }) => [key, 'not run', '', why.rules.join(', ')]),
  ];
  const { paint } = surroundings;
  return [
    `${paint.green('as signed')} by ${keyId}: ${safeLine(commit.name)} at ${commit.digest.gitCommit}\n`,
    `${run.id} of ${run.finishedAt} ${run.outcome}: ${plural(ran.length, 'job')} ran, ${plural(notRun.length, 'job')} did not; plan ${plan.digest}\n`,
    `records ${log.from} to ${log.to}, under the log's head at ${log.head.position}: ${log.head.hash}\n\n`,
    table(surroundings, ['JOB', 'OUTCOME', 'ATTEMPTS', 'BY THE RULES'], rows),
  ].join('');
}
