import { readFileSync } from 'node:fs';
import { describeProblems } from '@delta-ci/service';
import { secretVariables } from '../mesh/secret-variables.ts';
import { settingsToHandOn, type SortedSettings } from '../mesh/settings-to-hand-on.ts';
import type { HandedOn } from '../mesh/service-table.ts';
import { builtConfig, settingsOfServices } from '../mesh/settings-of-services.ts';
import type { Screen } from './screen.ts';
import { StartProblem } from './start-problem.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What the person who starts the mesh wants of its services: the settings in the environment. Said on the screen, by name
 * and never by value.
 * @throws StartProblem for a value that a service would refuse, and for a name that was probably meant to be another
 */
export async function operatorSettings(root: string, env: Env, screen: Screen): Promise<HandedOn> {
  const sorted = settingsToHandOn(env, await settingsOfServices((app) => builtConfig(root, app)));
  refuse(sorted);
  for (const { variable, services } of sorted.taken) screen.event(`${variable} goes to ${services.join(', ')}`);
  for (const { variable, instead } of sorted.kept)
    screen.event(screen.style('yellow', `${variable} is not passed on: ${instead}`));
  for (const variable of sorted.unknown)
    screen.event(screen.style('yellow', `${variable} is not passed on: no service knows it`));
  return withSecrets(sorted.handedOn, env, screen);
}

/** A setting that would do nothing may be one that was to forbid something. */
function refuse({ misspelt, problems }: SortedSettings): void {
  if (problems.length > 0) throw new StartProblem(describeProblems('the mesh', problems));
  const [first] = misspelt;
  if (first === undefined) return;
  const names = misspelt.map(({ variable, nearest }) => `${variable} (did you mean ${nearest}?)`);
  throw new StartProblem(`no service knows ${names.join(', ')}. Correct or unset it, and start again.`);
}

/** The gateway also gets the variables that its file of secrets names, and nobody else does. */
function withSecrets(handedOn: HandedOn, env: Env, screen: Screen): HandedOn {
  const file = handedOn.gateway?.['DELTA_SECRETS_FILE'];
  if (file === undefined) return handedOn;
  const given = secretVariables(textOf(file)).flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  if (given.length > 0)
    screen.event(`${given.map(([name]) => name).join(', ')}: passed to the gateway, whose secrets file names them`);
  return { ...handedOn, gateway: { ...Object.fromEntries(given), ...handedOn.gateway } };
}

/** What cannot be read is for the gateway to complain about. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
