import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BubblewrapExecutor } from '../bubblewrap/bubblewrap-executor.ts';
import type { FilterArch } from '../seccomp/system-calls.ts';
import { observe } from './attack.fixture.ts';
import { hostileJobs } from './hostile-jobs.fixture.ts';

/**
 * The battery as a program, for a user that is not the one running the tests: `argv[2]` is the path of bubblewrap. Prints
 * what the host can enforce, then one observation with its target per line, as JSON.
 */
const bwrap = process.argv[2] ?? 'bwrap';
const stateDir = await mkdtemp(join(tmpdir(), 'delta-battery-state-'));
const executor = new BubblewrapExecutor({ stateDir, killGraceMs: 1_000, bwrap, programDirs: [] });

const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const probe = await executor.probe();
say(probe);
for (const job of probe.usable ? hostileJobs(process.arch as FilterArch) : []) {
  say(await observe({ executor, stateDir }, job));
}
