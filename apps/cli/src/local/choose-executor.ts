import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BubblewrapExecutor, ProcessExecutor, reapLeftovers, type SandboxExecutor } from '@delta-ci/sandbox';
import { EXIT, Problem } from '../problem.ts';
import type { Surroundings } from '../surroundings.ts';
import { bubblewrapPath, cacheHome, programDirs } from './bubblewrap-path.ts';

/** Between SIGTERM and SIGKILL of a job that is stopped: a person is waiting. */
const KILL_GRACE_MS = 5_000;

/** Both tiers of this host, before anything was tried. */
export async function executorsOf(
  surroundings: Surroundings,
): Promise<{ sandbox: BubblewrapExecutor; process: ProcessExecutor; stateDir: string }> {
  const stateDir = join(cacheHome(surroundings), 'local', 'sandboxes');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const common = { stateDir, killGraceMs: KILL_GRACE_MS };
  const bwrap = await bubblewrapPath(surroundings);
  return {
    sandbox: new BubblewrapExecutor({ ...common, bwrap, programDirs: programDirs(surroundings) }),
    process: new ProcessExecutor(common),
    stateDir,
  };
}

/** The tier that was asked for, tried. Never a weaker one in its place. */
export async function chooseExecutor(surroundings: Surroundings, unsandboxed: boolean): Promise<SandboxExecutor> {
  const { sandbox, process, stateDir } = await executorsOf(surroundings);
  await reapLeftovers(stateDir);
  if (unsandboxed) return process;
  const { usable, layers } = await sandbox.probe();
  if (usable) return sandbox;
  const missing = layers
    .filter(({ state }) => state === 'missing')
    .map(({ layer, by, remedy }) => `${layer}: ${by}${remedy === null ? '' : ` (${remedy})`}`);
  throw new Problem('sandbox_unavailable', ['no sandbox can be opened on this host', ...missing].join('\n  '), {
    exitCode: EXIT.notJudged,
    next: 'see `delta doctor`; or, if you trust this code as yourself, `delta run --unsandboxed`',
  });
}
