import { Hop } from '../../support/network/hop.ts';
import { NetworkNamespace, noNamespacesHere } from '../hands/network-namespace.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** The network between the orchestrator and its servers. */
export const PARTITION_SCENARIOS: readonly Scenario[] = [
  {
    name: 'bus-cut-off',
    hurts: 'everything between the orchestrator and nats-server, held back by a TCP hop and delivered late',
    shows: 'nobody is told that something was done which was not, and late commands are decided as what they are now',
    slackMs: 30_000,
    act: async (stage) =>
      cutOff(
        stage,
        () => stage.hops.bus.stall(),
        () => stage.hops.bus.resume(),
      ),
  },
  {
    name: 'database-cut-off',
    hurts: 'everything between the orchestrator and Postgres, held back by a TCP hop and delivered late',
    shows: 'nothing is accepted while the log cannot be reached, and everything is decided once when it can',
    slackMs: 30_000,
    act: async (stage) =>
      cutOff(
        stage,
        () => stage.hops.database.stall(),
        () => stage.hops.database.resume(),
      ),
  },
  {
    name: 'orchestrator-unplugged',
    hurts:
      'the network of the orchestrator, in a namespace of its own whose cable is pulled: packets are lost, nobody is told',
    shows: 'half-open connections are noticed or mended, and the run goes on from the log',
    slackMs: 30_000,
    missingHere: noNamespacesHere,
    act: async (stage) => {
      const namespace = await moveToNamespace(stage);
      return cutOff(
        stage,
        () => namespace.pullCable(),
        () => namespace.plugCable(),
      );
    },
  },
];

/** A job runs; the wire goes silent until somebody outside has noticed; the job ends; the wire speaks again. */
async function cutOff(stage: Stage, cut: () => void, mend: () => void): Promise<Record<string, number>> {
  const { held } = await stage.runningChange('while-all-is-well');
  const delivery = await stage.pushed('while-cut-off');
  cut();
  const meanwhile = await stage.deliver(delivery);
  held.release();
  mend();
  if (meanwhile.status < 500)
    throw new Error(`a delivery was answered ${meanwhile.status} although nobody could decide it`);
  // As a forge does: the same delivery again, until it is taken.
  await stage.take(delivery);
  await stage.settle();
  return { 'deliveries that could not be decided': 1 };
}

/** The orchestrator in a network of its own: it reaches its servers over one cable. */
async function moveToNamespace(stage: Stage): Promise<NetworkNamespace> {
  const service = stage.service('orchestrator');
  const { env } = service.spec;
  const namespace = NetworkNamespace.make();
  stage.atTheEnd(() => namespace.remove());
  const [database, bus] = await Promise.all([Hop.open(namespace.hostAddress), Hop.open(namespace.hostAddress)]);
  stage.atTheEnd(async () => Promise.all([database.close(), bus.close()]));
  await service.stop();
  env['DELTA_DATABASE_URL'] = database.through(env['DELTA_DATABASE_URL'] ?? '');
  env['DELTA_NATS_URL'] = bus.through(env['DELTA_NATS_URL'] ?? '');
  service.spec.under = namespace.under;
  await service.start();
  // It has no network to stop in once the cable is gone.
  stage.atTheEnd(async () => service.stop());
  return namespace;
}
