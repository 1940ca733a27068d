import { describe, expect, it } from '@jest/globals';
import { eventually, freshNats } from '../../../../test/support/infra/index.ts';
import { consumeEvents } from '../consume-events.ts';
import { keptLog, testTopology } from '../contract/bus-fixture.fixture.ts';
import { eventAt, reportOf } from '../contract/samples.fixture.ts';
import { publishEvent } from '../log-events.ts';
import { listParked } from '../parked.ts';
import { ReportClient } from '../reports.ts';
import { connectBus } from './connect.ts';

/** Everything a service may do: pull and settle its own consumers, report, park. Nothing else. */
const CONFIG = `
authorization {
  users = [
    { user: orchestrator, password: not-a-secret }
    { user: planner, password: not-a-secret, permissions: {
        publish: [
          "$JS.API.CONSUMER.MSG.NEXT.EVENTS.planner", "$JS.API.CONSUMER.INFO.EVENTS.planner", "$JS.ACK.EVENTS.planner.>",
          "$JS.API.CONSUMER.MSG.NEXT.PARKED.retry-planner", "$JS.API.CONSUMER.INFO.PARKED.retry-planner",
          "$JS.ACK.PARKED.retry-planner.>", "delta.reports.planner.>", "delta.parked.EVENTS.planner",
          "delta.parked.PARKED.retry-planner"
        ]
        subscribe: ["_INBOX_planner.>"]
    } }
  ]
}`;

describe('the rights of a service', () => {
  it('given a planner without the right to create anything, when events come, then it handles, reports and parks', async () => {
    const server = await freshNats({ config: CONFIG });
    const log = keptLog();
    const open = (name: string, inboxPrefix: string): ReturnType<typeof connectBus> =>
      connectBus({ servers: [server.url], name, log, user: name, password: 'not-a-secret', inboxPrefix });
    const orchestrator = await open('orchestrator', '_INBOX');
    const planner = await open('planner', '_INBOX_planner');
    await orchestrator.provision(testTopology());

    const { kind, data, ...envelope } = reportOf(1);
    const reports = new ReportClient(planner);
    const handlers = {
      'run.planning-started': async ({ position }: { position: number }): Promise<void> => {
        if (position === 2) throw new Error('not this one');
        expect(await reports.send(kind, data, envelope)).toEqual({ sent: true, repeated: false });
      },
    };
    const retry = { maxDeliver: 2, backoffMs: [5] };
    const consumption = consumeEvents(planner, 'planner', handlers, { log, retry });
    await publishEvent(orchestrator, eventAt(1));
    await publishEvent(orchestrator, eventAt(2));

    await eventually('the report', async () => {
      const state = await orchestrator.streamState('REPORTS');
      return state.outcome === 'known' && state.messages === 1;
    });
    await eventually('the parked event', async () => {
      const page = await listParked(orchestrator, 1, 10);
      return page.ok && page.messages.some(({ reason }) => reason === 'Error: not this one');
    });
    await consumption.close();
    await planner.close();
    await orchestrator.close();
    await server.remove();
  });

  it('given a password the server does not know, when a service connects, then that is an error at once', async () => {
    const server = await freshNats({ config: CONFIG });
    const wrong = { servers: [server.url], name: 'planner', log: keptLog(), user: 'planner', password: 'wrong' };
    await expect(connectBus(wrong)).rejects.toThrow(/authorization/i);
    await server.remove();
  });
});
