import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { refuse, type Command, type RecordedEventOf, type Report } from '@delta-ci/contracts';
import { Controller, Injectable, Module, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { eventually } from '../../../../test/support/infra/index.ts';
import type { Bus } from '../bus.ts';
import { CommandClient, type CommandAnswerOf } from '../commands.ts';
import type { DeliveryContext } from '../consume-events.ts';
import { keptLog, testTopology } from '../contract/bus-fixture.fixture.ts';
import { TRACE, eventAt, reportOf, runId } from '../contract/samples.fixture.ts';
import { publishEvent } from '../log-events.ts';
import { MemoryBus } from '../memory/memory-bus.ts';
import { MemoryServer } from '../memory/memory-server.ts';
import { listParked } from '../parked.ts';
import { ReportClient } from '../reports.ts';
import { OnCommand, OnEvent, OnReport } from './decorators.ts';
import { JetStreamStrategy, type JetStreamStrategyOptions } from './jetstream-strategy.ts';

@Injectable()
class Seen {
  readonly all: unknown[] = [];
}

@Controller()
class PlannerController {
  readonly #seen: Seen;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  @OnEvent('run.planning-started')
  async onPlanningStarted(event: RecordedEventOf<'run.planning-started'>, context: DeliveryContext): Promise<void> {
    this.#seen.all.push([event.position, context.deliveries, context.traceparent]);
    if (event.position === 2) throw new TypeError('position 2 is not for me');
  }
}

@Controller()
class OrchestratorController {
  readonly #seen: Seen;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  @OnReport('planner.planning-failed')
  async onPlanningFailed(report: Report<'planner.planning-failed'>): Promise<void> {
    this.#seen.all.push(report.id);
  }

  @OnCommand('cancel-run')
  async cancelRun({ data }: Command<'cancel-run'>): Promise<CommandAnswerOf<'cancel-run'>> {
    if (data.reason === 'throw') throw new Error('secret detail');
    if (data.reason === 'late') return { ok: false, refusal: refuse('not_cancelable', 'the run has finished') };
    return { ok: true, result: { runId: data.runId }, position: 5 };
  }
}

@Controller()
class StrayController {
  @MessagePattern('run.created')
  async onRunCreated(): Promise<void> {}
}

@Module({})
class Service {}

describe('the transport for Nest', () => {
  let bus: Bus;
  let started: INestMicroservice[];
  beforeEach(async () => {
    bus = new MemoryBus(new MemoryServer(), keptLog());
    await bus.provision(testTopology());
    started = [];
  });
  afterEach(() => Promise.all(started.map((app) => app.close())));

  const serve = async (controller: Type, service: JetStreamStrategyOptions['service']): Promise<Seen> => {
    const log = keptLog();
    const strategy = new JetStreamStrategy(bus, { service, log, retry: { maxDeliver: 2, backoffMs: [5] } });
    const module = { module: Service, controllers: [controller], providers: [Seen] };
    const app = await NestFactory.createMicroservice(module, { strategy, logger: false });
    started.push(app);
    await app.listen();
    return app.get(Seen);
  };

  it('given a controller, when events are published, then its method gets them; one that fails is parked with its reason', async () => {
    const seen = await serve(PlannerController, 'planner');
    await publishEvent(bus, eventAt(1));
    await publishEvent(bus, eventAt(2));
    const page = await eventually('a parked event', async () => {
      const found = await listParked(bus, 1, 10);
      return found.ok && found.messages.length > 0 && found;
    });

    expect(page.messages.map(({ reason }) => reason)).toEqual(['TypeError: position 2 is not for me']);
    expect(seen.all).toEqual([
      [1, 1, TRACE],
      [2, 1, TRACE],
      [2, 2, TRACE],
    ]);
  });

  it('given a controller, when a report is sent, then its method gets it', async () => {
    const seen = await serve(OrchestratorController, 'orchestrator');
    const { kind, data, ...envelope } = reportOf(1);
    await new ReportClient(bus).send(kind, data, envelope);
    await eventually('the report', () => seen.all.length > 0);
    expect(seen.all).toEqual(['report-1']);
  });

  it('given a controller, when commands are sent, then answers, refusals and faults come back by name', async () => {
    await serve(OrchestratorController, 'orchestrator');
    const client = new CommandClient(bus);
    const cancel = (reason: string): Promise<CommandAnswerOf<'cancel-run'>> =>
      client.send(
        'cancel-run',
        { runId: runId(1), reason },
        { id: `cancel-because-${reason}`, actor: { kind: 'operator', name: 'olga' }, traceparent: null },
      );

    expect(await cancel('obsolete')).toEqual({ ok: true, result: { runId: runId(1) }, position: 5 });
    expect(await cancel('late')).toMatchObject({ ok: false, refusal: { code: 'not_cancelable' } });
    expect(await cancel('throw')).toMatchObject({
      ok: false,
      refusal: { code: 'internal', message: expect.not.stringContaining('secret') },
    });
  });

  it('given a service that closes, when events follow, then they wait for the next member', async () => {
    const first = await serve(PlannerController, 'planner');
    await publishEvent(bus, eventAt(1));
    await eventually('the first event', () => first.all.length === 1);
    await started.pop()?.close();
    await publishEvent(bus, eventAt(2));
    await publishEvent(bus, eventAt(3));
    expect(first.all).toHaveLength(1);

    const second = await serve(PlannerController, 'planner');
    await eventually('the events of the meantime', () => second.all.length >= 2);
  });

  it('given a pattern that names no message, when the service starts, then it fails and says what to use', async () => {
    await expect(serve(StrayController, 'planner')).rejects.toThrow(/run\.created names no event.*use @OnEvent/);
  });

  it('given a service without a consumer, when it follows events, then it does not start', async () => {
    await expect(serve(PlannerController, 'orchestrator')).rejects.toThrow('orchestrator has no consumer of events');
  });
});
