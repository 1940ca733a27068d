import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { freshNats } from '../../../../test/support/infra/index.ts';
import { busContract } from '../bus-contract.fixture.ts';
import type { Bus } from '../bus.ts';
import { connectBus } from './connect.ts';

busContract(async () => {
  const server = await freshNats();
  const operator = await connect({ servers: server.url });
  const manager = await jetstreamManager(operator);
  let connections: Bus[] = [];
  const loseStore = async (): Promise<void> => {
    for await (const name of manager.streams.names()) await manager.streams.delete(name);
  };
  return {
    async connect(log) {
      const bus = await connectBus({ servers: [server.url], name: 'contract', log });
      connections.push(bus);
      return bus;
    },
    loseStore,
    async reset() {
      await Promise.all(connections.map((bus) => bus.close()));
      connections = [];
      await loseStore();
    },
    async end() {
      await operator.close();
      await server.remove();
    },
  };
});
