import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunOutcome, RunView } from '@delta-ci/contracts';
import type { ServiceName } from '../../tools/mesh/service-table.ts';
import { LogSink } from '../../tools/mesh/log-files.ts';
import { ServiceProcess } from '../../tools/mesh/service-process.ts';
import { pushDelivery, type Delivery, type DeliveryAnswer } from '../support/fake-forge/webhook-deliveries.ts';
import { eventually } from '../support/infra/index.ts';
import { configWith, type HeldJob, type PushedChange, type TestMesh } from '../support/mesh/index.ts';
import type { Hop } from '../support/network/hop.ts';

export const REPOSITORY = 'demo/plain';
/** Several losses in a row, each after its TTL, while what mends them is taken away again and again on a busy machine. */
const SETTLED_WITHIN_MS = 120_000;

/** The places where a scenario may stand in between. */
export interface Hops {
  /** Orchestrator to Postgres. */
  readonly database: Hop;
  /** Orchestrator to nats-server. */
  readonly bus: Hop;
  /** Runners to the gateway. */
  readonly gateway: Hop;
}

/** What a scenario has in its hands: the mesh, what stands in between, and the work it brought in. */
export class Stage {
  readonly system: TestMesh;
  readonly hops: Hops;
  /** Aborts when the scenario is to end early. */
  readonly signal: AbortSignal;
  readonly #accepted = new Set<string>();
  readonly #undo: (() => Promise<unknown> | void)[] = [];

  constructor(system: TestMesh, hops: Hops, signal: AbortSignal) {
    this.system = system;
    this.hops = hops;
    this.signal = signal;
  }

  /** Runs that were answered 202. */
  get accepted(): readonly string[] {
    return [...this.#accepted];
  }

  service(name: ServiceName): ServiceProcess {
    return this.system.mesh.service(name);
  }

  /** Something to put right at the end, whatever happens. The latest comes first. */
  atTheEnd(undo: () => Promise<unknown> | void): void {
    this.#undo.push(undo);
  }

  async putRight(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo();
  }

  /** One change with a job, and one that needs it. Both keep the ledger, the first leaves an artifact. */
  async change(name: string, steps: readonly string[] = []): Promise<PushedChange> {
    const change = await this.system.change(REPOSITORY, name, { 'delta.yaml': this.#config(name, steps) });
    this.#accepted.add(change.runId);
    return change;
  }

  /** A change of so many jobs that do nothing, which only runners with the label take. */
  async changeOfMany(name: string, jobs: number, label: string): Promise<PushedChange> {
    const keys = Array.from({ length: jobs }, (_, index) => `job-${index}`);
    const job = { runs_on: [label], steps: [`echo ${name}`] };
    const config = configWith(Object.fromEntries(keys.map((key) => [key, job])));
    const change = await this.system.change(REPOSITORY, name, { 'delta.yaml': config });
    this.#accepted.add(change.runId);
    return change;
  }

  #config(name: string, steps: readonly string[] = []): string {
    const { effects } = this.system;
    const first = {
      steps: effects.kept(...steps, `echo ${name} > told.txt`),
      artifacts: [{ type: 'file', path: 'told.txt' }],
    };
    return configWith({ first, second: { needs: ['first'], steps: effects.kept('echo on') } });
  }

  /** A pushed commit, as its delivery would tell of it. Nobody is told yet. */
  async pushed(name: string): Promise<Delivery> {
    const commit = await this.system.push(REPOSITORY, name, { 'delta.yaml': this.#config(name) });
    return pushDelivery(REPOSITORY, this.system.forge.cloneUrl(REPOSITORY), commit);
  }

  /** So many changes whose first jobs run until they are released, as far as there are runners for them. */
  async heldChanges(name: string, count: number): Promise<PushedChange[]> {
    const changes: PushedChange[] = [];
    for (let index = 0; index < count && !this.signal.aborted; index += 1)
      changes.push(await this.change(`${name}-${index}`, this.system.hold(`${name}-${index}`).steps));
    return changes;
  }

  /** Another process of a service beside the one there is. */
  async second(name: ServiceName): Promise<ServiceProcess> {
    const { spec } = this.service(name);
    const sink = new LogSink(join(this.system.mesh.directory, 'logs'), `${name}-2`);
    const service = new ServiceProcess(spec, sink);
    this.atTheEnd(async () => {
      await service.stop();
      await sink.close();
    });
    await service.start();
    return service;
  }

  /** A change whose first job is running, until it is released. */
  async runningChange(name: string): Promise<{ change: PushedChange; held: HeldJob }> {
    const held = this.system.hold(name);
    const change = await this.change(name, held.steps);
    await this.system.jobRuns(change.runId, 'first');
    return { change, held };
  }

  /** So many changes, one after the other. */
  async changes(name: string, count: number): Promise<PushedChange[]> {
    const changes: PushedChange[] = [];
    for (let index = 0; index < count && !this.signal.aborted; index += 1)
      changes.push(await this.change(`${name}-${index}`));
    return changes;
  }

  /** Delivers once, and remembers what was promised for it. */
  async deliver(delivery: Delivery): Promise<DeliveryAnswer> {
    const answer = await this.system.deliver(delivery);
    if (answer.status === 202) this.#accepted.add((answer.body as { runId: string }).runId);
    return answer;
  }

  /** Delivers again and again until it is taken. */
  async take(delivery: Delivery): Promise<void> {
    this.#accepted.add(await this.system.runFor(delivery));
  }

  /** What a service has logged so far. */
  async said(name: ServiceName): Promise<string> {
    return readFile(join(this.system.mesh.directory, 'logs', `${name}.log`), 'utf8');
  }

  /** Every run that was promised is finished and shown by the forge; those of `except` may have ended in any way. */
  async settle(outcome: RunOutcome = 'succeeded', except: readonly string[] = []): Promise<RunView[]> {
    const views = await Promise.all(this.accepted.map(async (runId) => this.#settled(runId)));
    const wrong = views.find((view) => view.outcome !== outcome && !except.includes(view.runId));
    if (wrong === undefined) return views;
    throw new Error(`${wrong.runId} is ${wrong.outcome} (${wrong.reason}), expected was ${outcome}`);
  }

  async #settled(runId: string): Promise<RunView> {
    let last: RunView | null = null;
    const name = `run ${runId} is finished and reported`;
    const probe = async (): Promise<RunView | false> => {
      last = await this.system.api.run(runId);
      return last.state === 'finished' && last.reported && last;
    };
    return eventually(name, probe, { deadline_ms: SETTLED_WITHIN_MS }).catch((error: unknown) => {
      throw new Error(`${name}: it is not; last seen: ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** Kills a service as often as told, each time after its work has gone on for a moment. @returns how often */
  async killAgainAndAgain(name: ServiceName, times: number, everyMs: number): Promise<number> {
    const service = this.service(name);
    let killed = 0;
    while (killed < times && !this.signal.aborted) {
      await service.ready();
      await livedFor(service, everyMs);
      await service.crash('SIGKILL');
      killed += 1;
    }
    await service.ready();
    return killed;
  }
}

/** Resolves when a process has been alive for so long, or has ended by itself. */
async function livedFor(service: ServiceProcess, ms: number): Promise<void> {
  const { pid } = service;
  const until = performance.now() + ms;
  await eventually(
    `${service.spec.name} has been at work for ${ms} ms`,
    () => service.pid !== pid || performance.now() >= until,
  );
}
