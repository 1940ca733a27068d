import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { showUsage } from '../bootstrap/index.mjs';
import { parseArguments, USAGE, type GatewayArguments, type RunnerArguments } from './arguments.ts';
import { checkGateway } from './gateway/check-gateway.ts';
import { GATEWAY_REQUIREMENTS, type GatewayRequirement } from './gateway/requirements.ts';
import type { Requirements, Verdict } from './requirement.ts';
import { checkRunner } from './runner/check-runner.ts';
import { RUNNER_REQUIREMENTS, type RunnerRequirement } from './runner/requirements.ts';
import { requirementsText, verdictsText } from './verdicts-text.ts';

const NOT_CHECKED = 2;
const INTERRUPTED = 130;

const { env } = process;
/** npm runs us at the root of this repository; commands are meant for where they were typed. */
const cwd = env['INIT_CWD'] ?? process.cwd();

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code */
async function main(words: readonly string[]): Promise<number> {
  const args = parseArguments(words, env);
  if (args.kind === 'usage') return showUsage(USAGE, args.problem);
  const requirements: Requirements = args.kind === 'runner' ? RUNNER_REQUIREMENTS : GATEWAY_REQUIREMENTS;
  const unknown = args.only.find((id) => !Object.hasOwn(requirements, id));
  if (unknown !== undefined) return showUsage(USAGE, `there is no requirement '${unknown}'; --list names them`);
  if (args.list) {
    const listed = Object.entries(requirements).map(([id, requirement]) => ({ id, ...requirement }));
    process.stdout.write(args.json ? `${JSON.stringify(listed, null, 2)}\n` : requirementsText(requirements));
    return 0;
  }
  const interruption = abortOnSignals();
  let verdicts: readonly Verdict[];
  try {
    verdicts = args.kind === 'runner' ? await ofRunner(args, interruption) : await ofGateway(args, interruption);
  } catch (error) {
    process.stderr.write(`conformance: ${error instanceof Error ? error.message : String(error)}\n`);
    return NOT_CHECKED;
  }
  // What was under way did not fail by itself.
  if (interruption.aborted) return INTERRUPTED;
  process.stdout.write(args.json ? `${JSON.stringify(verdicts, null, 2)}\n` : `\n${verdictsText(verdicts)}`);
  return verdicts.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

function progress(name: string, done: number, of: number): void {
  process.stderr.write(`  ${done}/${of}  ${name}\n`);
}

async function ofRunner(args: RunnerArguments, signal: AbortSignal): Promise<readonly Verdict[]> {
  const only = args.only as readonly RunnerRequirement[];
  return checkRunner({ ...args, only, cwd, env, signal, onScene: progress });
}

async function ofGateway(args: GatewayArguments, signal: AbortSignal): Promise<readonly Verdict[]> {
  const { makeJob, cancelRun } = args;
  return checkGateway({
    ...args,
    only: args.only as readonly GatewayRequirement[],
    makeJob: makeJob === '' ? null : async () => shell(makeJob, {}),
    cancelRun: cancelRun === '' ? null : async (runId) => shell(cancelRun, { DELTA_RUN_ID: runId }),
    signal,
    onCheck: progress,
  });
}

/** @throws Error with the words of a command that fails */
async function shell(command: string, more: Readonly<Record<string, string>>): Promise<void> {
  await promisify(exec)(command, { cwd, env: { ...env, ...more } });
}

/** The first signal ends what is under way in order; a second one ends us at once. */
function abortOnSignals(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (interruption.signal.aborted) process.exit(INTERRUPTED);
      process.stderr.write('\ninterrupted: what is under way is ended; once more to leave at once\n');
      interruption.abort(new Error('interrupted'));
    });
  return interruption.signal;
}
