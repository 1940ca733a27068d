import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Machine, GuestOrder } from './arguments.ts';
import type { GuestWork } from './initial-memory.ts';

/** Limits of tests are made for machines, and these are slower. */
const TEST_TIMEOUT_MS: Readonly<Record<Machine, number>> = { kvm: 120_000, uml: 600_000, tcg: 600_000 };

/** Jest loads native ES modules only under this flag; Node calls it experimental in every process that has it. */
const NODE_OPTIONS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';

/** What is done in a guest. @param env this process's: what the bootstrap found goes along, without a container engine, which is here */
export function workOf(
  { cgroups, place, work }: GuestOrder,
  machine: Machine,
  repoRoot: string,
  env: NodeJS.ProcessEnv,
): GuestWork {
  const found = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith('DELTA_') && entry[0] !== 'DELTA_CONTAINER_ENGINE' && entry[1] !== undefined,
  );
  const jest = join(repoRoot, 'node_modules', 'jest', 'bin', 'jest.js');
  const timeout = `--testTimeout=${TEST_TIMEOUT_MS[machine]}`;
  return {
    repoRoot,
    cgroups,
    place,
    open: [dirname(process.execPath), ...found.map(([, value]) => value).filter((value) => value.startsWith('/'))],
    env: {
      ...Object.fromEntries(found),
      PATH: env['PATH'] ?? '',
      HOME: place === 'user-service' ? '/tmp' : homedir(),
      LANG: 'C.UTF-8',
      ...(work.kind === 'specs' ? { NODE_OPTIONS } : {}),
    },
    command:
      work.kind === 'command' ? ['/bin/sh', '-c', work.text] : [process.execPath, jest, '--ci', timeout, ...work.paths],
  };
}
