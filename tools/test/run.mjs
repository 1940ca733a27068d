// @ts-check
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runBuilt } from '../bootstrap/index.mjs';

/** Runs Jest with the arguments given. Its own set-up and teardown own the servers. */

const repoRoot = fileURLToPath(new URL('../..', import.meta.url));
const jest = join(repoRoot, 'node_modules', '.bin', 'jest');
// Jest loads native ES modules only under this flag; Node calls it experimental in every process that has it.
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const options = [process.env['NODE_OPTIONS'] ?? '', ...flags].join(' ').trim();
const mode = process.env['CI'] === undefined ? [] : ['--ci'];
const env = { ...process.env, NODE_OPTIONS: options };

process.exitCode = await runBuilt(repoRoot, [jest, ...mode, ...process.argv.slice(2)], env);
