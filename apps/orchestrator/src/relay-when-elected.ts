import { setTimeout as pause } from 'node:timers/promises';
import { keepConsumers, runRelay, type Bus, type Doubts } from '@delta-ci/bus';
import { LogReader, StreamMarks, type LogBell, type LogConnection } from '@delta-ci/event-log';
import { orchestrationMetrics, type Service } from '@delta-ci/service';
import type { OrchestratorConfig } from './config.ts';
import type { ReachedPoint } from './crash-points.ts';
import { provisionBus } from './provision-bus.ts';
import { standForOffice } from './stand-for-office.ts';

export interface RelayTools {
  readonly log: LogConnection;
  readonly bus: Bus;
  readonly bell: LogBell;
  readonly reached: ReachedPoint;
}

/** A person has to delete the stream: soon enough afterwards, and not a line of log every moment until then. */
const FORKED_AGAIN_MS = 5_000;

/**
 * Of several orchestrators one carries the log to the bus and keeps the consumers of the other streams right. Two at once
 * cannot corrupt anything.
 */
export async function relayWhenElected(
  service: Service<OrchestratorConfig>,
  { log, bus, bell, reached }: RelayTools,
): Promise<void> {
  const { logger } = service;
  const reader = new LogReader(log);
  let published = 0;
  service.metrics(orchestrationMetrics).relayLag.observe((report) => report(Math.max(0, bell.position - published)));
  const source = {
    readAfter: async (afterPosition: number, limit: number) => reader.read({ afterPosition, limit }),
    waitForMore: async (until: AbortSignal) => {
      await bell.waitPast(published, until);
    },
  };
  const options = {
    log: logger,
    provision: async () => provisionBus(service, bus),
    onStored: () => reached('mid-relay'),
    onProgress: (position: number) => {
      published = position;
    },
  };
  const marks = new StreamMarks(log);
  const provision = async (doubts: Doubts) => provisionBus(service, bus, doubts);
  await standForOffice(service, 'relay', async (signal) => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const kept = keepConsumers(bus, { signal: either, log: logger, provision, marks });
    const end = await runRelay(bus, source, { ...options, signal }).finally(() => over.abort());
    await kept;
    if (end.end !== 'forked') return;
    logger.fatal({ event: 'bus-forked', end }, 'EVENTS holds another log: delete the stream, and it is filled anew');
    await pause(FORKED_AGAIN_MS, undefined, { signal }).catch(() => undefined);
  });
}
