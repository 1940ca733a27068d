import { runService } from '@delta-ci/service';
import { gatewaySettings } from './config.ts';
import { startGateway } from './start-gateway.ts';

await runService({
  name: 'gateway',
  settings: gatewaySettings,
  start: async (service) => {
    await startGateway(service, process.env);
  },
});
