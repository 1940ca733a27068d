import {
  DEBUG_MINUTES,
  DEBUG_MINUTES_MAX,
  LOG_BYTES_MAX,
  RunOutcome,
  RunState,
  type ParkedAction,
} from '@delta-ci/contracts';
import { Command, CommanderError, Option } from 'commander';
import { withGateway, ofGateway, ofRunOrChange, recipeId, wholeNumber, withJson } from './command-options.ts';
import type { CacheListOptions, RemoveCachesOptions } from './commands/caches.ts';
import type { GetOptions } from './commands/artifacts.ts';
import type { DebugOptions } from './commands/debug.ts';
import type { LogOptions } from './commands/logs.ts';
import type { ParkedListOptions, SettleOptions } from './commands/parked.ts';
import type { PlanOptions } from './commands/plan.ts';
import type { RecipeListOptions, RecipePatchOptions } from './commands/recipes.ts';
import type { ApiOptions, ListOptions } from './commands/runs.ts';
import type { WhatIfOptions } from './commands/what-if.ts';
import { EXAMPLES } from './examples.ts';
import { EXIT, Problem } from './problem.ts';
import { safeText } from './screen/safe-text.ts';
import { addLogCommands, type Done } from './program-of-log.ts';
import { addRunCommand } from './program-of-run.ts';
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
  addArtifacts(program, surroundings, done);
  addRecipes(program, surroundings, done);
  addCaches(program, surroundings, done);
  addParked(program, surroundings, done);
  addLogCommands(program, surroundings, done);
  addRest(program, surroundings, done);
  return program;
}

function addLocal(program: Command, surroundings: Surroundings, done: Done): void {
  addRunCommand(program, surroundings, done);
  ofRunOrChange(program.command('plan'))
    .description('show which jobs the change runs, which it does not, and why')
    .addHelpText('after', EXAMPLES.plan)
    .action(async (options: PlanOptions) =>
      done(await (await import('./commands/plan.ts')).plan(surroundings, options)),
    );
  const explain = async (subject: string, options: PlanOptions): Promise<void> =>
    done(await (await import('./commands/why.ts')).why(surroundings, subject, options));
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
      done(await (await import('./commands/lint.ts')).lint(surroundings, file, options)),
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
    .option('--why', 'ask why about every job, unit and changed file of every plan too; fails when one has no answer')
    .option('--html <file>', 'write a page with pictures too')
    .option(
      '--cache <dir>',
      'keep what is told of each plan here, for the next time; otherwise in your cache directory',
    )
    .option('--no-cache', 'plan every commit anew and keep nothing')
    .addHelpText('after', EXAMPLES.whatIf)
    .action(async (options: WhatIfOptions) =>
      done(await (await import('./commands/what-if.ts')).whatIf(surroundings, options)),
    );
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
    .action(async (options: ListOptions) =>
      done(await (await import('./commands/runs.ts')).listRuns(surroundings, options)),
    );
  const ofRun = (name: string, description: string): Command =>
    ofGateway(runs.command(name)).description(description).argument('<run>', 'id of the run');
  ofRun('view', 'one run with its jobs').action(async (id: string, options: ApiOptions) =>
    done(await (await import('./commands/runs.ts')).viewRun(surroundings, id, options)),
  );
  ofRun('watch', 'what happens to a run, until it is finished').action(async (id: string, options: ApiOptions) =>
    done(await (await import('./commands/runs.ts')).watchRun(surroundings, id, options)),
  );
  ofRun('cancel', 'ask to cancel a run')
    .option('--reason <text>', 'why')
    .action(async (id: string, options: ApiOptions & { reason?: string }) =>
      done(await (await import('./commands/runs.ts')).cancelRun(surroundings, id, options)),
    );
  ofRun('rerun', 'run the same change again, as a run of its own')
    .option('--failed', 'only what failed')
    .action(async (id: string, options: ApiOptions & { failed?: boolean }) =>
      done(await (await import('./commands/runs.ts')).rerun(surroundings, id, options)),
    );
  withGateway(program.command('debug'))
    .description('have a job of a mesh run again, with a shell for you in its sandbox when it fails')
    .argument('<attempt>', 'RUN/JOB for the latest attempt of a job, or RUN/JOB/N')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--minutes <n>', 'how long the shell may be open', wholeNumber(1, DEBUG_MINUTES_MAX), DEBUG_MINUTES)
    .addHelpText('after', EXAMPLES.debug)
    .action(async (attempt: string, options: DebugOptions) =>
      done(await (await import('./commands/debug.ts')).debug(surroundings, attempt, options)),
    );
  ofGateway(program.command('logs'))
    .description('what a job printed')
    .argument('<run>', 'id of the run')
    .argument('<job>', 'key of the job, or lines of its log: test-cart#L120-L130')
    .option('-f, --follow', 'go on until the attempt ends')
    .option('--attempt <n>', 'this attempt, not the latest', wholeNumber(1, 1_000))
    .addOption(new Option('--lines <a-b>', 'these lines only, such as 120, 100-200 or 100-').conflicts('tail'))
    .option('--tail <n>', 'so many lines before the end only', wholeNumber(0, LOG_BYTES_MAX))
    .option('--raw', 'as the job wrote it, with whatever it does to a terminal')
    .addHelpText('after', EXAMPLES.logs)
    .action(async (id: string, job: string, options: LogOptions) =>
      done(await (await import('./commands/logs.ts')).logs(surroundings, id, job, options)),
    );
}

function addArtifacts(program: Command, surroundings: Surroundings, done: Done): void {
  const artifacts = program
    .command('artifacts')
    .description('what jobs of a mesh left behind: list, get')
    .addHelpText('after', EXAMPLES.artifacts);
  ofGateway(artifacts.command('list'))
    .description('what was left, by which attempt')
    .argument('<run|attempt>', 'id of a run; RUN/JOB for the latest attempt of a job, or RUN/JOB/N')
    .action(async (place: string, options: ApiOptions) =>
      done(await (await import('./commands/artifacts.ts')).listArtifacts(surroundings, place, options)),
    );
  ofGateway(artifacts.command('get'))
    .description('save what an attempt left, checked against its recorded digest')
    .argument('<attempt>', 'RUN/JOB for the latest attempt of a job, or RUN/JOB/N')
    .argument('[names...]', 'only these; otherwise all of them')
    .option('--output <dir>', 'where to put them (otherwise artifacts-RUN-JOB-N, here)')
    .option('--force', 'replace files that are there')
    .action(async (place: string, names: string[], options: GetOptions) =>
      done(await (await import('./commands/artifacts.ts')).getArtifacts(surroundings, place, names, options)),
    );
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
    .action(async (options: RecipeListOptions) =>
      done(await (await import('./commands/recipes.ts')).listRecipes(surroundings, options)),
    );
  ofGateway(recipes.command('show'))
    .description('one recipe with its units and commands, and how often it led to success')
    .argument('<recipe>', 'id of the recipe', recipeId)
    .action(async (id: string, options: ApiOptions) =>
      done(await (await import('./commands/recipes.ts')).showRecipe(surroundings, id, options)),
    );
  ofGateway(recipes.command('patch'))
    .description('print a patch that adds the recipe to its repository as a delta.yaml; nothing is written')
    .argument('<recipe>', 'id of the recipe', recipeId)
    .option('--file', 'the file itself instead of a patch')
    .option('--early', 'although the recipe has not led to success often enough yet')
    .action(async (id: string, options: RecipePatchOptions) =>
      done(await (await import('./commands/recipes.ts')).patchFromRecipe(surroundings, id, options)),
    );
}

/** Options for what a mesh is asked, and has in its log. */
const LOCAL_KNOWS_NO = ['url', 'token', 'cursor', 'reason'];

function addCaches(program: Command, surroundings: Surroundings, done: Done): void {
  const caches = program
    .command('caches')
    .description('what jobs left for later ones: list, remove')
    .addHelpText('after', EXAMPLES.caches);
  const ofMeshOrMachine = (name: string, which: string): Command =>
    ofGateway(caches.command(name))
      .option('--repository <id>', which)
      .addOption(new Option('--local', 'what `delta run` keeps on this machine').conflicts(LOCAL_KNOWS_NO));
  ofMeshOrMachine('list', 'of this repository, for instance github/demo/shop; with --local of the one in a directory')
    .description('caches that are kept, newest first')
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'where the page before ended')
    .action(async (options: CacheListOptions) =>
      done(await (await import('./commands/caches.ts')).listCaches(surroundings, options)),
    );
  ofMeshOrMachine('remove', 'of this repository, which a mesh has to know; with --local of the one in a directory')
    .description('remove what is kept under a key')
    .argument('<key>', 'of the cache')
    .option('--domain <domain>', 'in this trust domain only, for instance trusted')
    .option('--reason <text>', 'why, for the log', '')
    .action(async (key: string, options: RemoveCachesOptions) =>
      done(await (await import('./commands/caches.ts')).removeCaches(surroundings, key, options)),
    );
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
    .action(async (options: ParkedListOptions) =>
      done(await (await import('./commands/parked.ts')).listParked(surroundings, options)),
    );
  const settle = (action: ParkedAction, description: string): Command =>
    ofGateway(parked.command(action))
      .description(description)
      .argument('<sequence>', 'of the message', wholeNumber(1, Number.MAX_SAFE_INTEGER))
      .option('--reason <text>', 'why, for the log', '')
      .action(async (sequence: number, options: SettleOptions) =>
        done(await (await import('./commands/parked.ts')).settleParked(surroundings, action, sequence, options)),
      );
  settle('retry', 'deliver a message again, with all its tries');
  settle('drop', 'forget a message');
}

function addRest(program: Command, surroundings: Surroundings, done: Done): void {
  withJson(program.command('doctor'))
    .description('what this host can enforce around a job, by trying, and which toolchains jobs find')
    .action(async (options: { json?: boolean }) =>
      done(await (await import('./commands/doctor.ts')).doctor(surroundings, options)),
    );
  withJson(program.command('runner').description('a runner of this host').command('doctor'))
    .description('what a runner can enforce on this host, layer by layer, and how to get what is missing')
    .addHelpText('after', EXAMPLES.runnerDoctor)
    .action(async (options: { json?: boolean }) =>
      done(await (await import('./commands/runner-doctor.ts')).runnerDoctor(surroundings, options)),
    );
  program
    .command('up')
    .description('start the mesh of this checkout of Delta CI')
    .argument('[arguments...]', 'passed on to it')
    .allowUnknownOption()
    .action(async (more: string[]) => done(await (await import('./commands/up.ts')).up(surroundings, more)));
}
