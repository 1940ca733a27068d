import { tmpdir } from 'node:os';
import { runService } from '@delta-ci/service';
import { controllerSettings } from './config.ts';
import { startController } from './start-controller.ts';

const host = { path: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', temporaryDir: tmpdir() };

await runService({
  name: 'runner-controller',
  settings: controllerSettings,
  start: async (service) => startController(service, host),
});
