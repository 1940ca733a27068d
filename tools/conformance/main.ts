import { showUsage } from '../bootstrap/index.mjs';
import { parseArguments, USAGE, type RunnerArguments } from './arguments.ts';
import type { Requirements, Verdict } from './requirement.ts';
import { checkRunner } from './runner/check-runner.ts';
import { RUNNER_REQUIREMENTS, type RunnerRequirement } from './runner/requirements.ts';
import { requirementsText, verdictsText } from './verdicts-text.ts';

const INTERRUPTED = 130;

const { env } = process;
process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code */
async function main(words: readonly string[]): Promise<number> {
  const args = parseArguments(words);
  if (args.kind === 'usage') return showUsage(USAGE, args.problem);
  const requirements: Requirements = RUNNER_REQUIREMENTS;
  const unknown = args.only.find((id) => !Object.hasOwn(requirements, id));
  if (unknown !== undefined) return showUsage(USAGE, `there is no requirement '${unknown}'; --list names them`);
  if (args.list) {
    const listed = Object.entries(requirements).map(([id, requirement]) => ({ id, ...requirement }));
    process.stdout.write(args.json ? `${JSON.stringify(listed, null, 2)}\n` : requirementsText(requirements));
    return 0;
  }
  const interruption = abortOnSignals();
  const verdicts = await ofRunner(args, interruption);
  process.stdout.write(args.json ? `${JSON.stringify(verdicts, null, 2)}\n` : `\n${verdictsText(verdicts)}`);
  if (interruption.aborted) return INTERRUPTED;
  return verdicts.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

async function ofRunner(args: RunnerArguments, signal: AbortSignal): Promise<readonly Verdict[]> {
  return checkRunner({
    ...args,
    only: args.only as readonly RunnerRequirement[],
    // npm runs us at the root of this repository; the command is meant for where it was typed.
    cwd: env['INIT_CWD'] ?? process.cwd(),
    env,
    signal,
    onScene: (name, done, of) => process.stderr.write(`  ${done}/${of}  ${name}\n`),
  });
}

/** The first signal ends the scenes under way in order; a second one ends us at once. */
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
