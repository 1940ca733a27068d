import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = dirname(dirname(import.meta.dirname));

/** The runner that was written by the guide. */
export const EXAMPLE = join(ROOT, 'docs', 'examples', 'runner.py');
export const EXAMPLE_TEXT = readFileSync(EXAMPLE, 'utf8');

/** Whether it can be run on this machine. */
export const HAS_PYTHON = spawnSync('python3', ['-c', 'import glob; glob.glob("", root_dir="/")']).status === 0;
