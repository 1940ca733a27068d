import { DEBUG_MINUTES, DEBUG_MINUTES_MAX, LOG_BYTES_MAX, RunOutcome, RunState } from '@delta-ci/contracts';
import { Option, type Command } from 'commander';
import { commitId, ofGateway, runId, wholeNumber, withGateway } from './command-options.ts';
import type { DebugOptions } from './commands/debug.ts';
import type { LogOptions } from './commands/logs.ts';
import type { ApiOptions, ListOptions } from './commands/runs.ts';
import type { StartRunOptions } from './commands/start-run.ts';
import { EXAMPLES } from './examples.ts';
import type { Done } from './program-of-log.ts';
import type { Surroundings } from './surroundings.ts';

/** The commands about runs of a mesh: started, listed, followed, looked into. */
export function addMeshRunCommands(program: Command, surroundings: Surroundings, done: Done): void {
  const runs = program.command('runs').description('runs of a mesh: start, list, view, watch, cancel, rerun');
  ofGateway(runs.command('start'))
    .description('have a commit evaluated, of a repository that the mesh serves')
    .option('--repository <id>', 'this one, for instance github/demo/shop (otherwise the only one there is)')
    .option('--ref <ref>', 'a branch, or the full name of a ref (otherwise the default branch)')
    .option('--head <commit>', 'this commit (otherwise where the ref is now)', commitId)
    .option('--base <commit>', 'compare with this one (otherwise with nothing: everything runs)', commitId)
    .option('--title <text>', 'what lists show')
    .addHelpText('after', EXAMPLES.startRun)
    .action(async (options: StartRunOptions) =>
      done(await (await import('./commands/start-run.ts')).startRun(surroundings, options)),
    );
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
    .option('--cursor <cursor>', 'where the previous page ended')
    .action(async (options: ListOptions) =>
      done(await (await import('./commands/runs.ts')).listRuns(surroundings, options)),
    );
  const ofRun = (name: string, description: string): Command =>
    ofGateway(runs.command(name)).description(description).argument('<run>', 'id of the run', runId);
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
    .description('run a job of a mesh again, and open a shell in its sandbox when it fails')
    .argument('<attempt>', 'RUN/JOB for the latest attempt of a job, or RUN/JOB/N')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--minutes <n>', 'how long the shell may be open', wholeNumber(1, DEBUG_MINUTES_MAX), DEBUG_MINUTES)
    .addHelpText('after', EXAMPLES.debug)
    .action(async (attempt: string, options: DebugOptions) =>
      done(await (await import('./commands/debug.ts')).debug(surroundings, attempt, options)),
    );
  ofGateway(program.command('logs'))
    .description('what a job printed')
    .argument('<run>', 'id of the run', runId)
    .argument('<job>', 'key of the job, or lines of its log: test-cart#L120-L130')
    .option('-f, --follow', 'go on until the attempt ends')
    .option('--attempt <n>', 'this attempt, not the latest', wholeNumber(1, 1_000))
    .addOption(new Option('--lines <a-b>', 'these lines only, such as 120, 100-200 or 100-').conflicts('tail'))
    .option('--tail <n>', 'only the last n lines', wholeNumber(0, LOG_BYTES_MAX))
    .option('--raw', 'as the job wrote it, even where that can do harm to a terminal')
    .addHelpText('after', EXAMPLES.logs)
    .action(async (id: string, job: string, options: LogOptions) =>
      done(await (await import('./commands/logs.ts')).logs(surroundings, id, job, options)),
    );
}
