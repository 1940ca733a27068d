import { constants } from 'node:os';
import { describeProblems } from '../config/load-config.ts';
import type { Logger } from '../logging/create-logger.ts';
import { announceReady } from './announce-ready.ts';
import { prepareService, type PreparedService, type ServiceDefinition, type ServiceSettings } from './start-service.ts';

/** sysexits' EX_CONFIG: starting again without changing something is of no use. */
export const EXIT_CONFIG = 78;

/** A crash or an unclean end: the supervisor starts the process again. */
const EXIT_FAILED = 1;

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * The whole life of a process: configuration -> telemetry -> `start` -> ready -> work -> stop in order -> exit. Exit codes:
 * 0 after an orderly end, 1 after a crash, a failed start or work that was not finished in time, 78 when the configuration
 * is refused, 128 + signal at the second signal.
 */
export async function runService<S extends ServiceSettings>(definition: ServiceDefinition<S>): Promise<void> {
  const terminal = process.stdout.isTTY;
  const prepared = prepareService(definition, { env: process.env, terminal });
  if (!prepared.ok) {
    process.stderr.write(`${describeProblems(definition.name, prepared.problems)}\n`);
    process.exit(EXIT_CONFIG);
  }
  const { service } = prepared;
  crashLoudly(service.logger);
  stopOnSignals(service);
  if (service.config.exitWithParent) stopWithParent(service);
  void exitWhenStopped(service);
  await startOrFail(service);
}

async function exitWhenStopped(service: PreparedService): Promise<void> {
  const unfinished = await service.stopped;
  process.exit(process.exitCode ?? (unfinished.length === 0 ? 0 : EXIT_FAILED));
}

async function startOrFail(service: PreparedService): Promise<void> {
  const { logger, config } = service;
  try {
    const started = await service.start();
    if (started.outcome === 'ready') announceReady(logger, started.port, config.readyFd);
  } catch (error) {
    logger.fatal({ event: 'start-failed', err: error });
    process.exit(EXIT_FAILED);
  }
}

/** A process in an unknown state must not go on: the log and the inbox make starting again safe, guessing does not. */
function crashLoudly(logger: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ event: 'crashed', by: event, err: error });
      process.exit(EXIT_FAILED);
    });
  }
}

function stopOnSignals(service: PreparedService): void {
  let signals = 0;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      signals += 1;
      if (signals === 1) void service.stop(signal);
      else process.exit(128 + constants.signals[signal]);
    });
  }
}

/** Without a channel there is nobody to watch: the variable was inherited from a grandparent. */
function stopWithParent(service: PreparedService): void {
  if (process.connected) process.on('disconnect', () => void service.stop('the parent process is gone'));
}
