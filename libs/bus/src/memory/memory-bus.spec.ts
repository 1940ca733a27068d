import { busContract } from '../bus-contract.fixture.ts';
import type { Bus } from '../bus.ts';
import { MemoryBus } from './memory-bus.ts';
import { MemoryServer } from './memory-server.ts';

busContract(async () => {
  let server = new MemoryServer();
  let connections: Bus[] = [];
  return {
    async connect(log) {
      const bus = new MemoryBus(server, log);
      connections.push(bus);
      return bus;
    },
    async loseStore() {
      server.loseStore();
    },
    async reset() {
      await Promise.all(connections.map((bus) => bus.close()));
      connections = [];
      server = new MemoryServer();
    },
    async end() {},
  };
});
