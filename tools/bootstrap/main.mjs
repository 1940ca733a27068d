#!/usr/bin/env node
// @ts-check
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { USAGE, parseCommandLine } from './command-line.mjs';
import { examine, formatReport } from './doctor.mjs';
import { ensureTools, environmentWith } from './ensure-tools.mjs';
import { createProgress } from './progress.mjs';
import { runInForeground } from './run-in-foreground.mjs';
import { SetupProblem } from './setup-problem.mjs';
import { showUsage } from './show-usage.mjs';

const repoRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** @param {readonly string[]} args @returns {Promise<number>} exit code */
async function main(args) {
  const request = parseCommandLine(args);
  if (request.kind === 'usage') return showUsage(USAGE, request.problem);
  if (request.kind === 'doctor') {
    const report = await examine({ repoRoot });
    process.stdout.write(request.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
    return report.ready ? 0 : 1;
  }
  process.stderr.write(`delta ${request.name}: setting up\n`);
  const { dockerMayServe } = request;
  const tools = await ensureTools({ repoRoot, progress: createProgress(), dockerMayServe });
  if (request.command.length === 0) return 0;
  return runInForeground(request.command, environmentWith({ tools, repoRoot }));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupProblem)) throw error;
  process.stderr.write(`delta: ${error.message}\n`);
  process.exitCode = 1;
}
