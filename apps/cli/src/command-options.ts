import { CommitId, KeyId, RecipeId, RunId, SecretName } from '@delta-ci/contracts';
import { InvalidArgumentError, Option, type Command } from 'commander';

/** Options and values that several commands of `delta` share. */

export const withJson = (command: Command): Command => command.option('--json', 'print JSON for programs');

export function ofChange(command: Command): Command {
  return withJson(command)
    .option('--repo <path>', 'a directory of the repository', '.')
    .addOption(
      new Option('--base <ref>', 'compare with the commit where the change forked off this ref').conflicts('all'),
    )
    .option('--all', 'compare with nothing: everything runs');
}

export const ofRunOrChange = (command: Command): Command =>
  withGateway(ofChange(command)).option('--run <id>', 'a run of a mesh, instead of this repository');

export const ofDatabase = (command: Command): Command =>
  withJson(command).option(
    '--database-url <url>',
    'a role that may read the log (DELTA_DATABASE_URL; otherwise the mesh of this checkout)',
  );

export const ofGateway = (command: Command): Command => withGateway(withJson(command));

export const ofLog = (command: Command): Command =>
  ofGateway(command)
    .option('--database-url <url>', 'read the database itself, as a role that may read it (DELTA_DATABASE_URL)')
    .option('--checkpoints <path>', 'checkpoints that were kept outside the log: a file or folder');

export const withKeys = (command: Command): Command =>
  command.option(
    '--keys <folder>',
    'public keys to trust (DELTA_CHECKPOINT_KEYS_DIR; otherwise those of the mesh of this checkout)',
  );

export const withGateway = (command: Command): Command =>
  command
    .option(
      '--url <url>',
      'the gateway (DELTA_GATEWAY_URL; otherwise that of the mesh of this checkout, or http://127.0.0.1:7070)',
    )
    .option('--token <token>', 'the token for the gateway (DELTA_TOKEN, DELTA_TOKEN_FILE)');

/** Readers of values on the command line. @throws InvalidArgumentError for what is no such value */
export function runId(text: string): RunId {
  const parsed = RunId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('Expected the id of a run: run_ and 32 hexadecimal digits.');
}

export function commitId(text: string): CommitId {
  const parsed = CommitId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('Expected a full commit id: 40 or 64 hexadecimal digits.');
}

export function recipeId(text: string): RecipeId {
  const parsed = RecipeId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('Expected the id of a recipe: rcp_ and 32 hexadecimal digits.');
}

export function keyIds(text: string, before: readonly KeyId[] = []): readonly KeyId[] {
  const parsed = KeyId.safeParse(text);
  if (parsed.success) return [...before, parsed.data];
  throw new InvalidArgumentError('Expected the id of a key: 32 hexadecimal digits.');
}

export function secretNames(text: string, before: readonly string[] = []): readonly string[] {
  if (SecretName.safeParse(text).success) return [...before, text];
  throw new InvalidArgumentError('Expected the name of a secret: capitals, digits and _, such as NPM_TOKEN.');
}

export function claims(text: string, before: readonly string[] = []): readonly string[] {
  if (/^[^@\s]+(?:@[^@\s]+)?$/u.test(text)) return [...before, text];
  throw new InvalidArgumentError(
    'Expected a label, such as gpu, or a toolchain with its version, such as node@24.1.0.',
  );
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}
