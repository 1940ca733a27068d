import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { claims, ofChange, secretNames, wholeNumber, withJson } from './command-options.ts';
import type { ImageOptions } from './commands/images.ts';
import type { RunOptions } from './commands/run.ts';
import { EXAMPLES } from './examples.ts';
import { Problem } from './problem.ts';
import type { Done } from './program-of-log.ts';
import type { Surroundings } from './surroundings.ts';

/** `delta run` with what it takes, and the images that it keeps. */
export function addRunCommands(program: Command, surroundings: Surroundings, done: Done): void {
  const command = ofChange(program.command('run'));
  const network = new Set<string>();
  for (const option of ['--network', '--no-network'])
    command.on(`option:${option.slice(2)}`, () => void network.add(option));
  command
    .description("plan and run this repository's change on this host; no forge and no services are needed")
    .option('--job <key>', 'only this job and what it needs')
    .addOption(
      new Option(
        '--network <kind>',
        "what jobs whose plan names hosts reach: only these (plan), or this host's whole network, which is weaker than on a runner (host)",
      ).choices(['plan', 'host']),
    )
    .option('--no-network', 'let no job use the network, even if the plan asks for it')
    .option('--no-cache', 'restore no caches and save none')
    .option(
      '--secret <name>',
      'give jobs that ask for it the environment variable of this name; repeatable',
      secretNames,
    )
    .option('--secrets-file <file>', 'give jobs that ask for them the secrets in the lines NAME=value of a file')
    .option(
      '--has <what>',
      'treat this machine as having a label that jobs ask for, or a toolchain (name@version); repeatable',
      claims,
    )
    .option(
      '--artifacts <dir>',
      'keep artifacts of jobs in this new or empty directory; otherwise they are removed with the sandboxes',
    )
    .option('--unsandboxed', 'run jobs as yourself, without any isolation: only for code you trust')
    .option('--keep-going', 'run the other jobs even if one fails')
    .option('--shell-on-failure', 'when a job fails, open a shell in its sandbox, as the job left it')
    .option('--jobs <n>', 'jobs at once', wholeNumber(1, 64), Math.max(1, Math.floor(availableParallelism() / 2)))
    .addHelpText('after', EXAMPLES.run)
    .action(async (options: RunOptions) => {
      // To the library they are one option, of which the last would count.
      if (network.size > 1) throw new Problem('invalid_options', `${[...network].join(' and ')} exclude each other`);
      done(await (await import('./commands/run.ts')).run(surroundings, options));
    });
  const images = program.command('images').description('images that `delta run` keeps on this machine: list, remove');
  withJson(images.command('list'))
    .description('images that are kept unpacked, most recently used first')
    .action(async (options: ImageOptions) =>
      done(await (await import('./commands/images.ts')).listImages(surroundings, options)),
    );
  withJson(images.command('remove'))
    .description('remove images that no job uses')
    .argument('<images...>', 'names as listed, or digests')
    .action(async (wanted: string[], options: ImageOptions) =>
      done(await (await import('./commands/images.ts')).removeImages(surroundings, wanted, options)),
    );
}
