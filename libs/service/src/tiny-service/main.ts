import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { commonSettings } from '../config/common-settings.ts';
import { flag, secretText } from '../config/settings.ts';
import { orchestrationMetrics } from '../metrics/metric-catalogue.ts';
import { runService } from '../process/run-service.ts';
import { traceparentOf } from '../tracing/trace-context.ts';
import { withSpan } from '../tracing/with-span.ts';

/**
 * A real service, as small as it can be: what the integration spec starts as a process of its own. Messages over IPC make
 * the rare things happen: `break` and `mend` its database, `finish` the work it holds, `reject` without a handler.
 */
const settings = z.object({
  ...commonSettings,
  apiToken: secretText(12),
  holdWork: flag().default(false),
  failStart: flag().default(false),
});

let broken = false;
let slowBegun = (): void => undefined;
const finished = Promise.withResolvers<void>();

@Controller()
class EchoController {
  @Get('echo/:word')
  echo(@Param('word') word: string): Promise<object> {
    return withSpan('handle-word', {}, () => ({ word, traceparent: traceparentOf() }));
  }

  @Post('echo')
  echoBody(@Body() body: object): Promise<object> {
    const attributes = { note: 'Authorization: Bearer fake0fake1fake2fake3' };
    return withSpan('handle-body', { attributes }, () => ({ body, traceparent: traceparentOf() }));
  }

  @Get('slow')
  async slow(): Promise<object> {
    slowBegun();
    await finished.promise;
    return { done: true };
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

process.on('message', (message) => {
  if (message === 'break') broken = true;
  if (message === 'mend') broken = false;
  if (message === 'finish') finished.resolve();
  if (message === 'reject') void Promise.reject(new Error('nobody caught this'));
});

await runService({
  name: 'tiny',
  settings,
  start: async (service) => {
    const { config, logger } = service;
    slowBegun = () => logger.info({ event: 'slow-begun' });
    logger.info({ event: 'credentials', note: `token is ${config.apiToken.reveal()}`, token: config.apiToken });
    service.metrics(orchestrationMetrics).runsCreated.add(1, { trigger: 'push' });
    service.checkHealth('database', () => {
      if (broken) throw new Error('cannot reach postgres://someone:hunter2hunter2@127.0.0.1/db');
    });
    await service.open(
      'database',
      () => 'database',
      () => undefined,
    );
    await service.open(
      'bus',
      () => 'bus',
      () => undefined,
    );
    if (config.failStart) throw new Error('the cellar is flooded');
    service.beforeClosing('work', () => (config.holdWork ? finished.promise : undefined));
    await service.serve(EchoModule);
  },
});
