// @ts-check
export { ensureTools, environmentWith } from './ensure-tools.mjs';
export { createProgress } from './progress.mjs';
export { openCache } from './cache-dir.mjs';
export { ensurePostgresBinaries } from './postgres-binaries.mjs';
export { startPostgres } from './postgres.mjs';
export { ensureNatsServer } from './nats-server-program.mjs';
export { natsConfiguration, startNatsServer } from './nats-server.mjs';
export { ensureGvisor } from './gvisor-program.mjs';
export { ensureObjectServer } from './object-server-program.mjs';
export { startObjectServer } from './object-server.mjs';
export { hostPrograms, openContainerEngine } from './container-engine.mjs';
export { onFreePorts } from './server-process.mjs';
export { removeOnDeath, runOnDeath } from './leash.mjs';
export { ensureBubblewrap } from './bubblewrap.mjs';
export { answeringSocket, dockerAnswers, dockerHasImage } from './docker-engine.mjs';
export { runBuilt } from './run-built.mjs';
export { showUsage } from './show-usage.mjs';
export { SetupProblem, reasonOf } from './setup-problem.mjs';
