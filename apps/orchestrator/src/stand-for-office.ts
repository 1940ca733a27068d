import { leadWhile } from '@delta-ci/event-log';
import type { Service } from '@delta-ci/service';
import type { OrchestratorConfig } from './config.ts';

/** What one orchestrator at a time does for all of them. */
export type Office = 'relay' | 'signer' | 'retention';

/** Has `lead` run whenever the office falls to this process, from now until the service stops. */
export async function standForOffice(
  service: Service<OrchestratorConfig>,
  office: Office,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { config, logger } = service;
  const candidacy = { databaseUrl: config.databaseUrl.reveal(), applicationName: `orchestrator-${office}`, office };
  const over = new AbortController();
  await service.open(
    office,
    () => {
      const led = leadWhile({ ...candidacy, signal: over.signal, lead });
      return { led: led.catch((error: unknown) => logger.error({ event: `${office}-failed`, err: error })) };
    },
    async ({ led }) => {
      over.abort();
      await led;
    },
  );
}
