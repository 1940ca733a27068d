// @ts-check
export { ensureTools, environmentWith } from './ensure-tools.mjs';
export { createProgress } from './progress.mjs';
export { openCache } from './cache-dir.mjs';
export { ensurePostgresBinaries } from './postgres-binaries.mjs';
export { startPostgres } from './postgres.mjs';
export { ensureNatsServer } from './nats-server-program.mjs';
export { startNatsServer } from './nats-server.mjs';
export { ensureBubblewrap } from './bubblewrap.mjs';
export { dockerAnswers } from './docker-engine.mjs';
export { runInForeground } from './run-in-foreground.mjs';
export { SetupProblem } from './setup-problem.mjs';
