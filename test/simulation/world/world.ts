import { MemoryServer, type Bus, type BusMessage, type StoreOptions, type StoreOutcome } from '@delta-ci/bus';
import type { Plan } from '@delta-ci/contracts';
import { DatabaseServer } from '../database/server.ts';
import { LEASE_STATEMENTS } from '../database/lease-statements.ts';
import { LOG_STATEMENTS } from '../database/log-statements.ts';
import { uniqueRulesIn, projectionStatements } from '../database/projection-statements.ts';
import { READ_STATEMENTS, UNNAMED_STATEMENTS } from '../database/read-statements.ts';
import type { Engine } from '../engine/engine.ts';
import { actAs } from '../engine/engine.ts';
import type { Host } from '../engine/host.ts';
import type { Present } from '../engine/present.ts';
import { Judge } from '../invariants/judge.ts';
import type { RunnersSeen } from '../invariants/waiting-work.ts';
import { simulatedClock } from '../network/simulated-clock.ts';
import { SimulatedBus } from '../network/simulated-bus.ts';
import { addressOf, SimulatedHttp, type Said } from '../network/simulated-http.ts';
import { CALM, type Weather } from '../network/weather.ts';
import { StoredArtifacts } from '../network/stored-artifacts.ts';
import { aReport } from '../../support/made-up/completion-report.ts';
import { gatewayDoor, type Door } from './gateway-door.ts';
import { People } from './people.ts';
import type { Product, StartService } from './product.ts';
import { Runners, type RunnerParent } from './runners.ts';
import { ENVIRONMENT, FORGE_URL, GATEWAY_URL, type ServiceName } from './settings.ts';
import { SimulatedForge } from './simulated-forge.ts';
import { PlanningPlaces } from './planning-places.ts';
import { startSimulatedPlanner } from './simulated-planner.ts';
import { SimulatedService } from './simulated-service.ts';
import { Sometimes } from './sometimes.ts';
import { Station } from './station.ts';

const NOTICED: Readonly<Record<string, Parameters<Sometimes['happened']>[0]>> = {
  'delivery lost': 'a delivery was lost',
  'delivery repeated': 'a delivery came twice',
  'ack lost': 'an ack was lost',
  'late ack': 'an ack came late',
  'dispatch lost': 'a dispatch was lost on its way',
};

const RESTART_MS = 3_000;

/** Everything of one seed: the real services on simulated hosts, and what stands around them. */
export class World implements Present {
  readonly engine: Engine;
  readonly sometimes = new Sometimes();
  readonly database: DatabaseServer;
  readonly busServer: MemoryServer;
  /** Of every gateway that started, by its parts: what its controllers remember lasts as long as it does. */
  readonly #doors = new WeakMap<object, Door>();
  readonly artifacts = new StoredArtifacts();
  /** How the network is now, and how it is again when a spell of bad weather is over. */
  readonly weather: Weather = { ...CALM };
  readonly usualWeather: Weather = { ...CALM };
  readonly http: SimulatedHttp;
  readonly forge: SimulatedForge;
  readonly people: People;
  readonly runners: Runners;
  readonly judge: Judge;
  stations: readonly Station[] = [];
  /** Plans by digest, for reruns. */
  readonly plans = new Map<string, Plan>();
  readonly planning = new PlanningPlaces();
  /** Workspaces in which a job runs, with the host each is on. */
  readonly sandboxes = new Map<string, Host>();
  readonly removals = new Map<string, Host>();
  /** Share of fetches that fail. */
  sourceFailures = 0.05;
  /** Whether faults may still begin. */
  isTroubled = true;
  /** Null while something is wrong with the world. */
  calmSinceMs: number | null;
  readonly #product: Product;

  constructor(engine: Engine, product: Product) {
    this.engine = engine;
    this.#product = product;
    const statements = {
      ...LOG_STATEMENTS,
      ...LEASE_STATEMENTS,
      ...READ_STATEMENTS,
      ...projectionStatements(product.tables, uniqueRulesIn(product.schema)),
    };
    this.database = new DatabaseServer(engine, statements, UNNAMED_STATEMENTS, {
      committed: (transaction) => this.judge.committed(transaction),
      happened: (what) => this.sometimes.happened(what),
    });
    this.calmSinceMs = this.database.nowMs;
    this.busServer = new MemoryServer(simulatedClock(engine, () => null));
    this.http = new SimulatedHttp(engine, this.weather);
    const outside: typeof fetch = (input, init) => actAs(null, () => this.http.fetch(addressOf(input), init));
    this.judge = new Judge({
      product,
      database: this.database,
      busServer: this.busServer,
      artifacts: this.artifacts,
      sometimes: this.sometimes,
      runners: this.#runnersSeen(),
      planning: this.planning,
      onBroken: (broken) => engine.fail(broken),
    });
    this.forge = new SimulatedForge(engine, outside, ({ id }, runId) => {
      if (runId === null) return;
      if (this.judge.applied.answered(id, runId) > 1) {
        this.sometimes.happened('a webhook was repeated and led to the same run');
      }
    });
    this.people = new People(engine, this.forge, outside, {
      runs: () => this.judge.applied.runs,
      onAccepted: (runId) => this.judge.applied.accepted(runId),
    });
    this.runners = new Runners(engine, product, (host, service, config) => this.serviceOn(host, service, config));
    this.http.listen(FORGE_URL.replace('/api', ''), () => ({
      host: () => null,
      handle: (request) => this.forge.handle(request),
      repeatsChanges: false,
    }));
    this.http.listen(GATEWAY_URL, () => this.#gateway());
  }

  /** Starts every service; from here on time passes. */
  open(): void {
    this.stations = this.#openStations();
  }

  /** Whether nothing is wrong and nothing will be: faults are over, and every service takes part. */
  get isWell(): boolean {
    return !this.isTroubled && this.calmSinceMs !== null && this.stations.every((station) => station.isServing);
  }

  /** Whether nobody works on anything that was begun: no job runs, no service is about to start. */
  get isAtRest(): boolean {
    return this.sandboxesLeft === 0 && this.stations.every((station) => station.isServing);
  }

  get sandboxesLeft(): number {
    return this.#underWay.length;
  }

  /** A host's connection to the bus. */
  connectBus(host: Host): Bus {
    return new SimulatedBus(this.engine, host, this.busServer, this.weather, {
      stored: (message, options, outcome) => this.#stored(host, message, options, outcome),
      acknowledged: (delivery) => this.judge.acknowledged(delivery),
      happened: (what) => {
        const noticed = NOTICED[what];
        if (noticed !== undefined) this.sometimes.happened(noticed);
      },
    });
  }

  startRunner(name: string, parent: RunnerParent): () => void {
    return this.runners.start(name, parent);
  }

  /** Says something in the name of whoever said this before. */
  speakAs({ address, init }: Said, what: string): void {
    const again = what === 'as it was';
    const path = again ? address : address.replace(/(\/leases\/[0-9a-f]+)\/.*$/, `$1/${what}`);
    const report = what === 'ack' ? {} : aReport(what === 'complete' ? 'succeeded' : 'canceled');
    const body = again ? init.body : JSON.stringify(report);
    const method = again ? (init.method ?? 'POST') : 'POST';
    // Whoever says it does not listen any more.
    void this.http.fetch(path, { ...init, method, body: body ?? null, signal: null }).catch(() => undefined);
  }

  learnSecret(text: string): void {
    this.judge.secrets.learn(text);
  }

  stationsOf(service: string): Station[] {
    return this.stations.filter(({ name }) => name.startsWith(service));
  }

  serviceOn(host: Host, service: ServiceName, config: object): SimulatedService {
    return new SimulatedService(this.engine, host, service, config, (from, line) => {
      this.judge.logged(from.name, line);
      if (line.includes('EVENTS lost its tail')) this.sometimes.happened('EVENTS lost its tail and was filled again');
      if (line.includes('removal-not-ended'))
        this.sometimes.happened('a removal did not end, and its place was given back');
    });
  }

  #runnersSeen(): RunnersSeen {
    return {
      asking: () => new Set(this.runners.alive.filter((host) => this.http.asksForWork(host)).map(({ name }) => name)),
      working: () => new Map(this.#underWay.map(([attempt, host]) => [attempt, host.name])),
      removing: () => new Set([...this.removals.values()].filter((host) => host.isAlive).map(({ name }) => name)),
      lives: (name) => this.runners.alive.some((host) => host.name === name),
      wasHurt: (name) => this.runners.wasHurt(name),
    };
  }

  get #underWay(): (readonly [attempt: string, host: Host])[] {
    return [...this.sandboxes].filter(([, host]) => host.isAlive);
  }

  #openStations(): Station[] {
    const { startOrchestrator, startGateway, startReporter, startController } = this.#product;
    const random = this.engine.random('layout');
    const planner: StartService = (service) => startSimulatedPlanner(service as SimulatedService, this.#product);
    return [
      this.#station('orchestrator-a', 'orchestrator', startOrchestrator),
      ...(random.chance(0.75) ? [this.#station('orchestrator-b', 'orchestrator', startOrchestrator)] : []),
      this.#station('gateway', 'gateway', startGateway),
      this.#station('planner', 'gateway', planner),
      this.#station('reporter-a', 'reporter', startReporter),
      ...(random.chance(0.35) ? [this.#station('reporter-b', 'reporter', startReporter)] : []),
      this.#station('controller', 'controller', startController),
    ];
  }

  #station(name: string, service: ServiceName, start: StartService): Station {
    const station: Station = new Station(name, () => {
      const host = this.engine.boot(name);
      if (host.clockOffsetMs !== 0) this.sometimes.happened('a clock was minutes off');
      const simulated = this.serviceOn(host, service, this.#crashOrder(host, service));
      simulated.begin(() => start(simulated, ENVIRONMENT));
      host.onDeath(() => this.engine.after(RESTART_MS, null, `${name} starts again`, () => station.restart()));
      return { host, service: simulated };
    });
    return station;
  }

  /** Now and then an orchestrator is ordered to die at one of the points where that is worst. */
  #crashOrder({ random }: Host, service: ServiceName): object {
    if (service !== 'orchestrator' || !this.isTroubled || !random.chance(0.35)) return {};
    this.sometimes.happened('an orchestrator was ordered to die at a bad moment');
    return { crashAt: { point: random.pick(this.#product.CRASH_POINTS), time: random.between(1, 25) } };
  }

  #gateway() {
    const [station] = this.stationsOf('gateway');
    if (station === undefined || !station.host.isAlive || station.service.served === null) return null;
    const { providers } = station.service.served as { providers: { provide: unknown; useValue: object }[] };
    const parts = providers.find(({ provide }) => provide === this.#product.PARTS)?.useValue;
    if (parts === undefined) throw new Error('the gateway serves without its parts');
    const door = this.#doors.get(parts) ?? gatewayDoor(this.#product, parts);
    this.#doors.set(parts, door);
    return { host: () => station.host, handle: door, repeatsChanges: true };
  }

  #stored(host: Host, message: BusMessage, { messageId = '' }: StoreOptions, outcome: StoreOutcome): void {
    this.judge.stored(message, messageId, outcome);
    if (outcome.outcome === 'duplicate') this.sometimes.happened('a stored message was stored again and known');
    if (outcome.outcome === 'out-of-order') this.sometimes.happened('a publication was refused as out of order');
    if (/^dispatch-.*-[1-9]\d*$/.test(messageId)) this.sometimes.happened('a lost dispatch was sent again');
    const leader = this.database.holderOf('delta-office-relay');
    const leads = leader === null || leader.name.startsWith(`${host.name}/`);
    if (message.subject.startsWith('delta.events.') && !leads) {
      this.sometimes.happened('two orchestrators led the relay at once');
    }
  }
}
