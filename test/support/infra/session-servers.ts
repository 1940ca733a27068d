import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createProgress, ensureBubblewrap, openCache, openContainerEngine } from '../../../tools/bootstrap/index.mjs';
import { choiceDownloads, chooseServers } from './choose-servers.ts';
import { openDatabases, type Databases } from './databases.ts';
import type { Answers, EngineGiven, NatsAction, NatsGiven, Question } from './messages.ts';
import { cutStore, wipeStore } from './nats-store.ts';
import type { NatsForTests, PostgresForTests, TestServers } from './test-servers.ts';

/** Every server of one test session; each is started when the first test file asks for it. */
export class SessionServers {
  readonly #place: { readonly repoRoot: string; readonly dir: string };
  readonly #nats = new Map<string, NatsForTests>();
  #servers: Promise<TestServers> | undefined;
  #postgres: Promise<PostgresForTests> | undefined;
  #databases: Promise<Databases> | undefined;
  #engine: ReturnType<typeof openContainerEngine> | undefined;

  constructor(place: { readonly repoRoot: string; readonly dir: string }) {
    this.#place = place;
  }

  /** Does now what would take longer than the first test file that asks may wait. */
  async prepare(): Promise<void> {
    if (await choiceDownloads()) await this.#chooseServers();
  }

  async answer(question: Question): Promise<Answers[Question['ask']]> {
    switch (question.ask) {
      case 'create-database':
        return (await this.#openDatabases()).create();
      case 'drop-database':
        await (await this.#openDatabases()).drop(question.name);
        return null;
      case 'create-nats':
        return this.#createNats(question.config);
      case 'act-on-nats':
        return this.#actOnNats(question.id, question.action);
      case 'cut-nats-store':
        await cutStore(storeOfStopped(this.#natsOf(question.id)), question.bytes);
        return null;
      case 'find-bubblewrap':
        return this.#findBubblewrap();
      case 'find-container-engine':
        return this.#findContainerEngine();
    }
  }

  /** Ends every server and deletes everything they wrote. */
  async close(): Promise<void> {
    const endings = [...this.#nats.values()].map((nats) => nats.remove());
    const outcomes = await Promise.allSettled([...endings, this.#closePostgres(), this.#closeEngine()]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** What failed to start was reported to the test file that asked for it. */
  async #closePostgres(): Promise<void> {
    const databases = await this.#databases?.catch(() => undefined);
    const postgres = await this.#postgres?.catch(() => undefined);
    await databases?.close();
    await postgres?.stop();
  }

  async #closeEngine(): Promise<void> {
    const engine = await this.#engine?.catch(() => undefined);
    if (engine !== undefined && engine.socket !== null) await engine.stop();
  }

  #chooseServers(): Promise<TestServers> {
    this.#servers ??= chooseServers(this.#place);
    return this.#servers;
  }

  #openDatabases(): Promise<Databases> {
    this.#postgres ??= this.#startPostgres();
    this.#databases ??= this.#postgres.then(({ superuserUrl }) => openDatabases(superuserUrl));
    return this.#databases;
  }

  /** `DATABASE_URL` names a server that is not ours: it is used, and never stopped. */
  async #startPostgres(): Promise<PostgresForTests> {
    const given = process.env['DATABASE_URL'] ?? '';
    if (given !== '') return { superuserUrl: given, stop: () => Promise.resolve() };
    return (await this.#chooseServers()).startPostgres();
  }

  async #createNats(config: string): Promise<NatsGiven> {
    const nats = await (await this.#chooseServers()).createNats(config);
    const id = randomUUID();
    this.#nats.set(id, nats);
    return { id, url: nats.url, pid: nats.pid() };
  }

  async #actOnNats(id: string, action: NatsAction): Promise<NatsGiven> {
    const nats = this.#natsOf(id);
    if (action === 'wipe-store') await wipeStore(storeOfStopped(nats));
    else await nats[action]();
    if (action === 'remove') this.#nats.delete(id);
    return { id, url: nats.url, pid: nats.pid() };
  }

  #natsOf(id: string): NatsForTests {
    const nats = this.#nats.get(id);
    if (nats === undefined) throw new Error('this nats-server was removed');
    return nats;
  }

  async #findBubblewrap(): Promise<Answers['find-bubblewrap']> {
    const cacheDir = await openCache({ repoRoot: this.#place.repoRoot });
    const found = await ensureBubblewrap({ cacheDir, say: () => {} });
    return found.path === null ? found : { path: found.path, reason: '' };
  }

  async #findContainerEngine(): Promise<EngineGiven> {
    this.#engine ??= this.#openContainerEngine();
    const engine = await this.#engine;
    return engine.socket === null ? engine : { socket: engine.socket, ours: engine.ours };
  }

  /** One for all test files: none of them changes it. */
  #openContainerEngine(): ReturnType<typeof openContainerEngine> {
    return createProgress().step('containers', async (say) => {
      const cacheDir = await openCache({ repoRoot: this.#place.repoRoot });
      const engine = await openContainerEngine({ cacheDir, dir: join(this.#place.dir, 'engine'), say });
      if (engine.socket === null) say(engine.reason);
      else say(engine.ours ? 'an engine for these tests' : `the engine that answers at ${engine.socket}`);
      return engine;
    });
  }
}

function storeOfStopped(nats: NatsForTests): string {
  if (nats.isRunning()) throw new Error('the store can be damaged only while nats-server is stopped');
  return nats.storeDir;
}
