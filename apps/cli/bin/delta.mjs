#!/usr/bin/env node
// @ts-check
// Starts `delta` with the Node that is running when it is new enough, otherwise with the one npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 24;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const main = join(root, 'dist', 'main.js');
const newEnough = Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN;
const node = newEnough ? process.execPath : join(root, '..', '..', 'node_modules', '.bin', 'node');

if (!existsSync(main)) refuse('it is not built yet', 'npm run build');
else if (existsSync(node)) start();
else
  refuse(`Node ${NODE_MAJOR_MIN} is needed, this is ${process.versions.node}`, 'npm install, which brings one along');

/**
 * @param {string} problem
 * @param {string} next
 */
function refuse(problem, next) {
  process.stderr.write(`delta: ${problem}\nnext: ${next}\n`);
  process.exitCode = 2;
}

function start() {
  // By the channel it sees that this process was killed: nothing else would tell it to end.
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both: the child decides how to end, and this waits for it.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`delta: ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 3 : 130);
  });
}
