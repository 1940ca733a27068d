// @ts-check
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runBuilt } from '../bootstrap/index.mjs';

const repoRoot = fileURLToPath(new URL('../..', import.meta.url));
const main = join(repoRoot, 'tools', 'guest', 'main.ts');

process.exitCode = await runBuilt(repoRoot, [process.execPath, main, ...process.argv.slice(2)]);
