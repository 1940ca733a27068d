import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';
import { keptLog, testTopology, type BusFixture, type Contract } from './contract/bus-fixture.fixture.ts';
import { commanding } from './contract/commanding.fixture.ts';
import { consumingEvents, consumingReports } from './contract/consuming.fixture.ts';
import { runningConsumptions } from './contract/running-consumptions.fixture.ts';
import { dispatching } from './contract/dispatching.fixture.ts';
import { acknowledging, pulling } from './contract/pulling.fixture.ts';
import { relaying } from './contract/relaying.fixture.ts';
import { provisioning, storing } from './contract/storing.fixture.ts';
import { talking } from './contract/talking.fixture.ts';

/** Everything any bus must do, and everything built on it. */
const CONTRACTS: Record<string, Contract> = {
  storing,
  provisioning,
  pulling,
  acknowledging,
  'talking without storing': talking,
  'consuming events': consumingEvents,
  'running consumptions': runningConsumptions,
  'consuming reports': consumingReports,
  'the relay': relaying,
  commands: commanding,
  dispatch: dispatching,
};

/** Runs the contract against one implementation: call it once in a spec file of its own. */
export function busContract(begin: () => Promise<BusFixture>): void {
  let fixture: BusFixture;
  beforeAll(async () => {
    fixture = await begin();
  });
  afterEach(() => fixture.reset());
  afterAll(() => fixture.end());

  describe.each(Object.entries(CONTRACTS))('%s', (_name, contract) => {
    it.each(Object.entries(contract))('%s', (_title, test) => runCase(fixture, test));
  });
}

async function runCase(fixture: BusFixture, test: Contract[string]): Promise<void> {
  const cleanups: (() => Promise<void>)[] = [];
  const log = keptLog();
  const [bus, other] = await Promise.all([fixture.connect(log), fixture.connect(log)]);
  await bus.provision(testTopology());
  try {
    await test({
      bus,
      other,
      log,
      connect: () => fixture.connect(log),
      loseStore: () => fixture.loseStore(),
      atEnd: (cleanup) => void cleanups.unshift(cleanup),
    });
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}
