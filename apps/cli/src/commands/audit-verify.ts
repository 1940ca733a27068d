import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Checkpoint, RunId, type AuditVerification, type LogHead } from '@delta-ci/contracts';
import type { BundleVerdict, TrustedKeys } from '@delta-ci/event-log';
import { errorCode } from '../error-code.ts';
import { withAuditSource, type AuditOptions, type OpenedLog } from '../log/audit-source.ts';
import { collectBundle } from '../log/collect-bundle.ts';
import { trustedKeys } from '../log/trusted-keys.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { findingText, verdictText } from '../screen/audit-text.ts';
import { Progress } from '../screen/progress.ts';
import { plural } from '../screen/words.ts';
import { printJson, type Surroundings } from '../surroundings.ts';

export interface VerifyOptions extends AuditOptions {
  /** Position of a checkpoint, or a file with one. */
  readonly from?: string;
  /** Only this run. */
  readonly run?: string;
}

/** `delta audit verify`: recomputes the log, or what proves one run. */
export async function verifyAudit(surroundings: Surroundings, options: VerifyOptions): Promise<ExitCode> {
  return withAuditSource(surroundings, options, async (opened) => {
    const keys = await trustedKeys(surroundings, options, opened.eventLog);
    if (options.run !== undefined) return verifyRun(surroundings, options, opened, keys);
    const start = options.from === undefined ? null : await startAt(surroundings, options.from, opened, keys);
    const progress = new Progress(surroundings, options);
    const verification = await opened.eventLog.verifyLog(opened.source, {
      keys,
      ...(start === null ? {} : { start }),
      onProgress: (position, end) => progress.show(() => progressText(position, end)),
      signal: surroundings.interrupted,
    });
    progress.end();
    if (surroundings.interrupted.aborted) return EXIT.canceled;
    if (options.json === true) printJson(surroundings, { ...verification, checkpointsOutside: opened.outside });
    else surroundings.out(verificationText(surroundings, verification, opened, start));
    return exitCodeOf(verification);
  });
}

/** `300 of 20000 records (1 %)` */
const progressText = (done: number, all: number): string =>
  `${done} of ${all} records (${Math.floor((done / Math.max(1, all)) * 100)} %)`;

function exitCodeOf({ finding, signedUpTo }: AuditVerification): ExitCode {
  if (finding !== null) return EXIT.failed;
  // A chain that nobody signed could have been made a minute ago, and an empty one by whoever emptied it.
  return signedUpTo === 0 ? EXIT.notJudged : EXIT.succeeded;
}

/** What could be missing without anybody noticing. */
const NOT_FROM_OUTSIDE: Readonly<Record<Exclude<OpenedLog['outside'], 'given'>, string>> = {
  none: 'no checkpoint from outside the log was given (--checkpoints): an end cut off is not noticed',
  store:
    'checkpoints of the store came through the gateway: that it kept some back, and the end of the log, is not noticed (--checkpoints)',
};

export function verificationText(
  { paint }: Surroundings,
  { finding, checked, position, signedUpTo, checkpoints }: AuditVerification,
  { through, outside }: Pick<OpenedLog, 'through' | 'outside'>,
  start: LogHead | null,
): string {
  const from = start === null ? '' : ` after the checkpoint at ${start.position}`;
  const looked = `${plural(checked, 'record')}${from} recomputed, read through ${through}`;
  if (finding !== null) return `${paint.red('not as recorded')} ${findingText(finding)}\n${looked}\n`;
  const lines = [
    `${signedUpTo === 0 ? paint.yellow('not judged') : paint.green('as recorded')} ${looked}; the log ends at ${position}`,
    signedUpTo === 0
      ? paint.yellow('no checkpoint vouches for any of it: only the chain was recomputed')
      : `${plural(checkpoints, 'checkpoint')} fit; signed up to ${signedUpTo}, ${plural(position - signedUpTo, 'record')} after it not yet`,
  ];
  if (outside !== 'given') lines.push(paint.yellow(NOT_FROM_OUTSIDE[outside]));
  return `${lines.join('\n')}\n`;
}

/** The record to go on from: a checkpoint that the options name and a trusted key signed. */
async function startAt(
  { directory }: Surroundings,
  from: string,
  { source }: OpenedLog,
  keys: TrustedKeys,
): Promise<LogHead> {
  const named = /^\d{1,15}$/u.test(from) ? Number(from) : await readCheckpoint(resolve(directory, from));
  if (typeof named !== 'number') return trusted(named, keys);
  for await (const checkpoint of source.checkpoints(named - 1)) {
    if (checkpoint.position !== named) break;
    return trusted(checkpoint, keys);
  }
  throw new Problem('no_checkpoint', `there is no checkpoint at ${from}`, {
    next: 'see which there are: delta audit checkpoints',
  });
}

function trusted(checkpoint: Checkpoint, keys: TrustedKeys): LogHead {
  const { position, hash } = checkpoint;
  const verdict = keys.judge(checkpoint);
  if (verdict === 'valid') return { position, hash };
  const why = verdict === 'invalid' ? 'its signature is not of its key' : `the key ${checkpoint.keyId} is not trusted`;
  throw new Problem('no_checkpoint', `the checkpoint at ${position} cannot be gone on from: ${why}`, {
    exitCode: EXIT.failed,
  });
}

async function readCheckpoint(path: string): Promise<Checkpoint> {
  try {
    return Checkpoint.strip().parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const why = errorCode(error) ?? 'it holds something else';
    throw new Problem('file_unreadable', `${path} cannot be read as a checkpoint: ${why}`);
  }
}

async function verifyRun(
  surroundings: Surroundings,
  options: VerifyOptions,
  opened: OpenedLog,
  keys: TrustedKeys,
): Promise<ExitCode> {
  const bundle = await collectBundle(opened, RunId.parse(options.run), keys);
  const verdict = opened.eventLog.checkBundle(bundle, keys);
  return sayVerdict(surroundings, bundle.runId, verdict, options.json === true);
}

/** What came out of checking a run, for people or as JSON. */
export function sayVerdict(surroundings: Surroundings, runId: string, verdict: BundleVerdict, json: boolean): ExitCode {
  if (json) printJson(surroundings, { runId, ...verdict });
  else surroundings.out(verdictText(surroundings, runId, verdict));
  if (verdict.finding !== null) return EXIT.failed;
  return verdict.ended ? EXIT.succeeded : EXIT.notJudged;
}
