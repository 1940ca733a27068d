import type { ParkedAction } from '@delta-ci/contracts';
import { Command, CommanderError, Option } from 'commander';
import { ofGateway, ofRunOrChange, recipeId, wholeNumber, withJson } from './command-options.ts';
import type { CacheListOptions, RemoveCachesOptions } from './commands/caches.ts';
import type { GetOptions } from './commands/artifacts.ts';
import type { ParkedListOptions, SettleOptions } from './commands/parked.ts';
import type { PlanOptions } from './commands/plan.ts';
import type { RecipeListOptions, RecipePatchOptions } from './commands/recipes.ts';
import type { ApiOptions } from './commands/runs.ts';
import type { WhatIfOptions } from './commands/what-if.ts';
import { EXAMPLES } from './examples.ts';
import { EXIT, Problem } from './problem.ts';
import { safeText } from './screen/safe-text.ts';
import { addLogCommands, type Done } from './program-of-log.ts';
import { addRunCommands } from './program-of-run.ts';
import { addMeshRunCommands } from './program-of-mesh-runs.ts';
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
  addMeshRunCommands(program, surroundings, done);
  addArtifacts(program, surroundings, done);
  addRecipes(program, surroundings, done);
  addCaches(program, surroundings, done);
  addParked(program, surroundings, done);
  addLogCommands(program, surroundings, done);
  addRest(program, surroundings, done);
  return program;
}

function addLocal(program: Command, surroundings: Surroundings, done: Done): void {
  addRunCommands(program, surroundings, done);
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
      'where to keep what is known of each plan, for the next time (otherwise in your cache directory)',
    )
    .option('--no-cache', 'plan every commit anew and keep nothing')
    .addHelpText('after', EXAMPLES.whatIf)
    .action(async (options: WhatIfOptions) =>
      done(await (await import('./commands/what-if.ts')).whatIf(surroundings, options)),
    );
}

function addArtifacts(program: Command, surroundings: Surroundings, done: Done): void {
  const artifacts = program
    .command('artifacts')
    .description('artifacts that jobs of a mesh left: list, get')
    .addHelpText('after', EXAMPLES.artifacts);
  ofGateway(artifacts.command('list'))
    .description('the artifacts of a run or of an attempt')
    .argument('<run|attempt>', 'id of a run; RUN/JOB for the latest attempt of a job, or RUN/JOB/N')
    .action(async (place: string, options: ApiOptions) =>
      done(await (await import('./commands/artifacts.ts')).listArtifacts(surroundings, place, options)),
    );
  ofGateway(artifacts.command('get'))
    .description('save the artifacts of an attempt, checked against their recorded digests')
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
    .description('recipes, newest first, including stale ones')
    .option('--repository <id>', 'of this repository, for instance github/demo/shop')
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .option('--cursor <cursor>', 'where the previous page ended')
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
    .option('--file', 'print the file itself instead of a patch')
    .option('--early', 'even if the recipe has not led to success often enough yet')
    .action(async (id: string, options: RecipePatchOptions) =>
      done(await (await import('./commands/recipes.ts')).patchFromRecipe(surroundings, id, options)),
    );
}

/** Options for what a mesh is asked, and has in its log. */
const LOCAL_KNOWS_NO = ['url', 'token', 'cursor', 'reason'];

function addCaches(program: Command, surroundings: Surroundings, done: Done): void {
  const caches = program
    .command('caches')
    .description('caches that jobs left for later ones: list, remove')
    .addHelpText('after', EXAMPLES.caches);
  const ofMeshOrMachine = (name: string, which: string): Command =>
    ofGateway(caches.command(name))
      .option('--repository <id>', which)
      .addOption(new Option('--local', 'what `delta run` keeps on this machine').conflicts(LOCAL_KNOWS_NO));
  ofMeshOrMachine('list', 'of this repository, for instance github/demo/shop; with --local, of the one in a directory')
    .description('caches that are kept, newest first')
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 50)
    .option('--cursor <cursor>', 'where the previous page ended')
    .action(async (options: CacheListOptions) =>
      done(await (await import('./commands/caches.ts')).listCaches(surroundings, options)),
    );
  ofMeshOrMachine('remove', 'of this repository (required for a mesh); with --local, of the one in a directory')
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
    .description('what is parked and why, oldest first')
    .option('--from <sequence>', 'from this message on', wholeNumber(1, Number.MAX_SAFE_INTEGER), 1)
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
    .description('try what this host can enforce around a job, and list the toolchains that jobs find')
    .action(async (options: { json?: boolean }) =>
      done(await (await import('./commands/doctor.ts')).doctor(surroundings, options)),
    );
  withJson(program.command('runner').description('a runner of this host').command('doctor'))
    .description('try what a runner can enforce on this host, layer by layer, and say how to get what is missing')
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
