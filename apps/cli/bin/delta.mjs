#!/usr/bin/env node
// @ts-check
// Starts `delta`: with the Node that is running when it is new enough, otherwise with the one npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_MAJOR_MIN = 24;

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'dist', 'main.js');

if (!existsSync(main)) {
  process.stderr.write('delta: it is not built yet\nnext: npm run build\n');
  process.exitCode = 2;
} else if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) {
  await import(pathToFileURL(main).href);
} else {
  startWithNewer();
}

function startWithNewer() {
  const node = join(here, '..', '..', '..', 'node_modules', '.bin', 'node');
  if (!existsSync(node)) {
    process.stderr.write(
      `delta: Node ${NODE_MAJOR_MIN} or newer is needed, this is ${process.versions.node}\nnext: npm install, which brings one along\n`,
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both: the child decides how to end, and this waits for it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => {
    process.stderr.write(`delta: ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 3 : 130);
  });
}
