import { availableParallelism } from 'node:os';
import { RunOutcome, RunState, type ParkedAction } from '@delta-ci/contracts';
import { Command, CommanderError, Option } from 'commander';
import {
  keyIds,
  ofChange,
  ofDatabase,
  ofGateway,
  ofLog,
  ofRunOrChange,
  recipeId,
  runId,
  wholeNumber,
  withJson,
  withKeys,
} from './command-options.ts';
import { attest, type AttestOptions } from './commands/attest.ts';
import { verifyAttestation, type AttestVerifyOptions } from './commands/attest-verify.ts';
import { checkAudit, type CheckOptions } from './commands/audit-check.ts';
import { auditCheckpoints, type CheckpointsOptions } from './commands/audit-checkpoints.ts';
import { exportAudit, type ExportOptions } from './commands/audit-export.ts';
import { verifyAudit, type VerifyOptions } from './commands/audit-verify.ts';
import { at, type AtOptions } from './commands/at.ts';
import { doctor } from './commands/doctor.ts';
import { durations, type DurationsOptions } from './commands/durations.ts';
import { ledger, type LedgerOptions } from './commands/ledger.ts';
import { lint } from './commands/lint.ts';
import { logs, type LogOptions } from './commands/logs.ts';
import { listParked, settleParked, type ParkedListOptions, type SettleOptions } from './commands/parked.ts';
import { plan, type PlanOptions } from './commands/plan.ts';
import {
  listRecipes,
  patchFromRecipe,
  showRecipe,
  type RecipeListOptions,
  type RecipePatchOptions,
} from './commands/recipes.ts';
import { replay, type ReplayOptions } from './commands/replay.ts';
import { run, type RunOptions } from './commands/run.ts';
import { cancelRun, listRuns, rerun, viewRun, watchRun, type ApiOptions, type ListOptions } from './commands/runs.ts';
import { up } from './commands/up.ts';
import { whatIf, type WhatIfOptions } from './commands/what-if.ts';
import { why } from './commands/why.ts';
import { EXAMPLES } from './examples.ts';
import { EXIT, Problem } from './problem.ts';
import { safeText } from './screen/safe-text.ts';
import { printJson, type Surroundings } from './surroundings.ts';

const VERSION = '0.1.0';

/** Carries out one command line and says what the process ends with. Never throws for what a person did. */
export async function delta(args: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode: number = EXIT.succeeded;
  const json = args.includes('--json');
  // What is wrong with a command line is a document like any other problem, where documents are asked for.
  const listener = json ? { ...surroundings, err: () => undefined } : surroundings;
  const program = commands(listener, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.succeeded;
      if (json) report(surroundings, misused(error), json);
      return EXIT.usage;
    }
    if (surroundings.interrupted.aborted) return EXIT.canceled;
    if (!(error instanceof Problem)) throw error;
    report(surroundings, error, json);
    return error.exitCode;
  }
}

function misused({ message }: CommanderError): Problem {
  return new Problem('invalid_usage', message.replace(/^error: /u, ''), { next: 'add --help to see what there is' });
}

function report(surroundings: Surroundings, { code, message, next, exitCode }: Problem, json: boolean): void {
  if (json) {
    printJson(surroundings, { error: { code, message, next, exitCode } });
    return;
  }
  const { paint } = surroundings;
  const advice = next === null ? '' : `${paint.bold('next:')} ${safeText(next)}\n`;
  surroundings.err(`${paint.red('delta:')} ${safeText(message)}\n${advice}`);
}

type Done = (exitCode: number) => void;

function commands(surroundings: Surroundings, done: Done): Command {
  const { out, err, columns } = surroundings;
  const program = new Command('delta')
    .description('Plans and runs what a change needs, and says why.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showSuggestionAfterError(true)
    // What stands behind a command is its own, also where it has commands and options itself.
    .enablePositionalOptions()
    .showHelpAfterError('next: add --help to see what there is')
    .exitOverride()
    .configureOutput({
      writeOut: out,
      writeErr: err,
      getOutHelpWidth: () => columns ?? 100,
      getErrHelpWidth: () => columns ?? 100,
    })
    .addHelpText('after', EXAMPLES.delta);
  addLocal(program, surroundings, done);
  addRuns(program, surroundings, done);
  addRecipes(program, surroundings, done);
  addParked(program, surroundings, done);
  addAudit(program, surroundings, done);
  addAttest(program, surroundings, done);
  addLog(program, surroundings, done);
  addRest(program, surroundings, done);
  return program;
}

function addLocal(program: Command, surroundings: Surroundings, done: Done): void {
  ofChange(program.command('run'))
    .description("plan and run this repository's change on this host; no forge and no services are needed")
    .option('--job <key>', 'only this job and what it needs')
    .option('--network', "let every job use this host's network")
    .option('--no-network', 'let no job use the network, even if the plan asks for it')
    .option('--unsandboxed', 'run jobs as yourself, without any isolation: only for code you trust')
    .option('--keep-going', 'run the other jobs although one failed')
    .option('--jobs <n>', 'jobs at once', wholeNumber(1, 64), Math.max(1, Math.floor(availableParallelism() / 2)))
    .addHelpText('after', EXAMPLES.run)
    .action(async (options: RunOptions) => done(await run(surroundings, options)));
  ofRunOrChange(program.command('plan'))
    .description('show which jobs the change runs, which it does not, and why')
    .addHelpText('after', EXAMPLES.plan)
    .action(async (options: PlanOptions) => done(await plan(surroundings, options)));
  const explain = async (subject: string, options: PlanOptions): Promise<void> =>
    done(await why(surroundings, subject, options));
  ofRunOrChange(program.command('why'))
    .description('say why a job runs, or a unit or changed file matters')
    .argument('<job|unit|file>')
    .addHelpText('after', EXAMPLES.why)
    .action(explain);
  ofRunOrChange(program.command('why-not'))
    .description('say why a job does not run, or a unit or changed file does not matter')
    .argument('<job|unit|file>')
    .addHelpText('after', EXAMPLES.whyNot)
    .action(explain);
  addWhatIf(program, surroundings, done);
  withJson(program.command('lint'))
    .description('check a delta.yaml and point at what is wrong')
    .argument('[file]', 'the file; otherwise delta.yaml of this directory')
    .addHelpText('after', EXAMPLES.lint)
    .action(async (file: string | undefined, options: { json?: boolean }) =>
      done(await lint(surroundings, file, options)),
    );
}

function addWhatIf(program: Command, surroundings: Surroundings, done: Done): void {
  withJson(program.command('what-if'))
    .description(
      'plan the last commits of any git repository again, each against its first parent, and add up what runs',
    )
    .option('--repo <path>', 'a directory of the repository; it may be bare', '.')
    .option('--last <n>', 'how many commits', wholeNumber(1, 10_000), 100)
    .option('--ref <ref>', 'up to this branch, tag or commit; otherwise to what is checked out')
    .option('--policy <file>', 'plan by this delta.yaml, or these planning rules (JSON), as well, and compare')
    .option('--durations <file>', 'what `delta durations --json` printed, or milliseconds by job key (JSON)')
    .option('--html <file>', 'write a page with pictures too')
    .option(
      '--cache <dir>',
      'keep what is told of each plan here, for the next time; otherwise in your cache directory',
    )
    .option('--no-cache', 'plan every commit anew and keep nothing')
    .addHelpText('after', EXAMPLES.whatIf)
    .action(async (options: WhatIfOptions) => done(await whatIf(surroundings, options)));
}

function addRuns(program: Command, surroundings: Surroundings, done: Done): void {
  const runs = program.command('runs').description('runs of a mesh: list, view, watch, cancel, rerun');
  ofGateway(runs.command('list'))
    .description('runs, newest first')
    .option('--repository <id>', 'of this repository, for instance github/demo/shop')
    .option('--ref <ref>', 'of this ref, for instance refs/heads/main')
    .addOption(
      new Option('--state <state>', 'in this state or with this outcome').choices([
        ...new Set([...RunState.options, ...RunOutcome.options]),
      ]),
    )
    .option('--actor <name>', 'caused by this actor')
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (options: ListOptions) => done(await listRuns(surroundings, options)));
  const ofRun = (name: string, description: string): Command =>
    ofGateway(runs.command(name)).description(description).argument('<run>', 'id of the run');
  ofRun('view', 'one run with its jobs').action(async (id: string, options: ApiOptions) =>
    done(await viewRun(surroundings, id, options)),
  );
  ofRun('watch', 'what happens to a run, until it is finished').action(async (id: string, options: ApiOptions) =>
    done(await watchRun(surroundings, id, options)),
  );
  ofRun('cancel', 'ask to cancel a run')
    .option('--reason <text>', 'why')
    .action(async (id: string, options: ApiOptions & { reason?: string }) =>
      done(await cancelRun(surroundings, id, options)),
    );
  ofRun('rerun', 'run the same change again, as a run of its own')
    .option('--failed', 'only what failed')
    .action(async (id: string, options: ApiOptions & { failed?: boolean }) =>
      done(await rerun(surroundings, id, options)),
    );
  ofGateway(program.command('logs'))
    .description('what a job printed')
    .argument('<run>', 'id of the run')
    .argument('<job>', 'key of the job')
    .option('-f, --follow', 'go on until the attempt ends')
    .option('--attempt <n>', 'this attempt, not the latest', wholeNumber(1, 1_000))
    .option('--raw', 'as the job wrote it, with whatever it does to a terminal')
    .addHelpText('after', EXAMPLES.logs)
    .action(async (id: string, job: string, options: LogOptions) => done(await logs(surroundings, id, job, options)));
}

function addRecipes(program: Command, surroundings: Surroundings, done: Done): void {
  const recipes = program
    .command('recipes')
    .description('descriptions of how repositories build that are known to work: list, show, patch')
    .addHelpText('after', EXAMPLES.recipes);
  ofGateway(recipes.command('list'))
    .description('recipes, newest first, those that are stale among them')
    .option('--repository <id>', 'of this repository, for instance github/demo/shop')
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (options: RecipeListOptions) => done(await listRecipes(surroundings, options)));
  ofGateway(recipes.command('show'))
    .description('one recipe with its units and commands, and how often it led to success')
    .argument('<recipe>', 'id of the recipe', recipeId)
    .action(async (id: string, options: ApiOptions) => done(await showRecipe(surroundings, id, options)));
  ofGateway(recipes.command('patch'))
    .description('print a patch that adds the recipe to its repository as a delta.yaml; nothing is written')
    .argument('<recipe>', 'id of the recipe', recipeId)
    .option('--file', 'the file itself instead of a patch')
    .option('--early', 'although the recipe has not led to success often enough yet')
    .action(async (id: string, options: RecipePatchOptions) => done(await patchFromRecipe(surroundings, id, options)));
}

function addParked(program: Command, surroundings: Surroundings, done: Done): void {
  const parked = program
    .command('parked')
    .description('messages of a mesh that could not be handled: list, retry, drop')
    .addHelpText('after', EXAMPLES.parked);
  ofGateway(parked.command('list'))
    .description('what is parked, in the order it was, and why')
    .option('--from <sequence>', 'from this one on', wholeNumber(1, Number.MAX_SAFE_INTEGER), 1)
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 50)
    .action(async (options: ParkedListOptions) => done(await listParked(surroundings, options)));
  const settle = (action: ParkedAction, description: string): Command =>
    ofGateway(parked.command(action))
      .description(description)
      .argument('<sequence>', 'of the message', wholeNumber(1, Number.MAX_SAFE_INTEGER))
      .option('--reason <text>', 'why, for the log', '')
      .action(async (sequence: number, options: SettleOptions) =>
        done(await settleParked(surroundings, action, sequence, options)),
      );
  settle('retry', 'deliver a message again, with all its tries');
  settle('drop', 'forget a message');
}

function addAudit(program: Command, surroundings: Surroundings, done: Done): void {
  const audit = program.command('audit').description('prove that the log is as it was recorded');
  withKeys(ofLog(audit.command('verify')))
    .description(
      'recompute the log and compare it with its checkpoints; names the first position that is not as recorded',
    )
    .option('--from <checkpoint>', 'go on from this one: its position, or a file with it')
    .addOption(new Option('--run <id>', 'only what proves this run').argParser(runId).conflicts('from'))
    .addHelpText('after', EXAMPLES.auditVerify)
    .action(async (options: VerifyOptions) => done(await verifyAudit(surroundings, options)));
  ofGateway(audit.command('checkpoints'))
    .description('the checkpoints of a mesh, in the log and beside the artifacts')
    .option('--after <position>', 'of positions after this one', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--limit <n>', 'how many', wholeNumber(1, 1_000), 100)
    .action(async (options: CheckpointsOptions) => done(await auditCheckpoints(surroundings, options)));
  withKeys(ofLog(audit.command('export')))
    .description('put what proves a run into one file')
    .addOption(new Option('--run <id>', 'the run').argParser(runId).makeOptionMandatory())
    .option('--out <file>', 'the file; otherwise standard output')
    .addHelpText('after', EXAMPLES.auditExport)
    .action(async (options: ExportOptions) => done(await exportAudit(surroundings, options)));
  withKeys(withJson(audit.command('check')))
    .description('prove a run from an exported file alone, without asking anybody')
    .argument('<bundle>', 'the file')
    .addOption(new Option('--key-id <ids...>', 'trust the keys of these ids').argParser(keyIds).conflicts('keys'))
    .addHelpText('after', EXAMPLES.auditCheck)
    .action(async (file: string, options: CheckOptions) => done(await checkAudit(surroundings, file, options)));
}

function addAttest(program: Command, surroundings: Surroundings, done: Done): void {
  const command = withKeys(ofLog(program.command('attest').enablePositionalOptions()))
    .description('state what was run for a commit, what was not, and why, as a signed file')
    .argument('<run>', 'id of the run', runId)
    .option('--output <file>', 'the file; otherwise standard output')
    .option(
      '--key <file>',
      'the private key that signs (DELTA_ATTESTATION_KEY_FILE; otherwise that of the mesh of this checkout)',
    )
    .addHelpText('after', EXAMPLES.attest)
    .action(async (id: string, options: AttestOptions) => done(await attest(surroundings, id, options)));
  withKeys(withJson(command.command('verify')))
    .description('judge such a file by public keys alone, and say what it states')
    .argument('<file>')
    .addHelpText('after', EXAMPLES.attestVerify)
    .action(async (file: string, options: AttestVerifyOptions) =>
      done(await verifyAttestation(surroundings, file, options)),
    );
}

function addLog(program: Command, surroundings: Surroundings, done: Done): void {
  ofGateway(program.command('at'))
    .description('how queue, leases, runners and runs of a mesh stood at a moment of the past')
    .argument('<position|time>', 'a log position, or a time like 2026-01-31T12:00:00Z')
    .option('--job <run/job>', 'why this job was waiting then')
    .option('--limit <n>', 'how many runs', wholeNumber(1, 500), 100)
    .option('--cursor <cursor>', 'where the page before ended')
    .addHelpText('after', EXAMPLES.at)
    .action(async (moment: string, options: AtOptions) => done(await at(surroundings, moment, options)));
  ofDatabase(program.command('durations'))
    .description('how long steps of a repository take, as learned from its runs')
    .argument('<repository>', 'for instance github/demo/shop')
    .addHelpText('after', EXAMPLES.durations)
    .action(async (id: string, options: DurationsOptions) => done(await durations(surroundings, id, options)));
  ofDatabase(program.command('ledger'))
    .description('what leaving jobs out spares in a repository, and in how many changes it may miss a failure')
    .argument('<repository>', 'for instance github/demo/shop')
    .addHelpText('after', EXAMPLES.ledger)
    .action(async (id: string, options: LedgerOptions) => done(await ledger(surroundings, id, options)));
  ofDatabase(program.command('replay'))
    .description('decide a recorded run again, or fold the whole log again, and compare')
    .argument('[run]', 'id of the run whose decisions are made again')
    .option('--verify', 'fold the log from nothing; compare with every signed checkpoint and with the tables')
    .option('--artifacts <dir>', 'the artifact store (DELTA_ARTIFACT_DIR; otherwise that of the mesh of this checkout)')
    .addHelpText('after', EXAMPLES.replay)
    .action(async (id: string | undefined, options: ReplayOptions) => done(await replay(surroundings, id, options)));
}

function addRest(program: Command, surroundings: Surroundings, done: Done): void {
  withJson(program.command('doctor'))
    .description('what this host can enforce around a job, by trying')
    .action(async (options: { json?: boolean }) => done(await doctor(surroundings, options)));
  program
    .command('up')
    .description('start the mesh of this checkout of Delta CI')
    .argument('[arguments...]', 'passed on to it')
    .allowUnknownOption()
    .action(async (more: string[]) => done(await up(surroundings, more)));
}
