import { spawnSync } from 'node:child_process';
import { detectCgroups } from '../cgroup/cgroup-host.ts';

/** In a group that it was given with itself in it: what this process finds, and what a second one, started by it, finds then. */
const [round = 'first'] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(detectCgroups())}\n`);
if (round === 'first' && process.argv[1] !== undefined) {
  const { stdout } = spawnSync(process.execPath, [...process.execArgv, process.argv[1], 'second'], {
    encoding: 'utf8',
  });
  process.stdout.write(stdout);
}
