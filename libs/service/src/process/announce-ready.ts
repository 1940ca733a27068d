import { closeSync, writeSync } from 'node:fs';
import type { Logger } from '../logging/create-logger.ts';

/** What a supervisor is told once, when a process can take work. `port` is missing when the process does not listen. */
export interface ReadyMessage {
  ready: true;
  port?: number;
}

/**
 * Says that the process is ready: always as a log line (`"event":"ready"`), and to a supervisor over the IPC channel or the
 * file descriptor it gave.
 */
export function announceReady(logger: Logger, port: number | undefined, readyFd: number | undefined): void {
  const message: ReadyMessage = port === undefined ? { ready: true } : { ready: true, port };
  logger.info({ event: 'ready', ...(port === undefined ? {} : { port }) }, 'ready');
  process.send?.(message, undefined, undefined, (error: Error | null) => {
    if (error !== null) logger.warn({ event: 'supervisor-not-told', err: error });
  });
  if (readyFd === undefined) return;
  try {
    writeSync(readyFd, `${JSON.stringify(message)}\n`);
    closeSync(readyFd);
  } catch (error) {
    logger.warn({ event: 'supervisor-not-told', readyFd, err: error });
  }
}
