import { generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus, serveCommands, type Bus, type CommandHandlers, type Listener } from '@delta-ci/bus';
import type { Actor, CommandAnswer, DomainEvent, ProposedPlan, StreamId } from '@delta-ci/contracts';
import {
  LogWriter,
  migrate,
  openLog,
  provisionRoles,
  readSigningKey,
  type LogConnection,
  type SigningKey,
} from '@delta-ci/event-log';
import { signLikeGitHub } from '@delta-ci/forge';
import { prepareService } from '@delta-ci/service';
import { freshDatabase, freshNats } from '../../../test/support/infra/index.ts';
import { gatewaySettings } from './config.ts';
import { startGateway } from './start-gateway.ts';

/** A gateway on a real nats-server and a real Postgres, with the test in the orchestrator's place. */
export interface TestGateway {
  readonly url: string;
  readonly adminToken: string;
  readonly artifactDir: string;
  readonly bus: Bus;
  /** The log as the orchestrator has it. */
  readonly log: LogConnection;
  /** Every line the gateway logged. */
  readonly lines: readonly string[];
  /** What the router has, as `GET /path`; HEAD goes with GET. */
  readonly routes: readonly string[];
  /** Answers commands from now on; what was answered before no longer is. */
  answer(handlers: CommandHandlers): Promise<void>;
  /** Appends events as the orchestrator would. */
  append(stream: StreamId, events: readonly DomainEvent[], plans?: readonly ProposedPlan[]): Promise<CommandAnswer>;
  call(path: string, init?: RequestInit & { readonly token?: string }): Promise<Response>;
  readonly stop: () => Promise<string[]>;
  /** Another gateway of the same installation. Ends with this one, or before. */
  twin(): Promise<Pick<TestGateway, 'call' | 'stop'>>;
  end(): Promise<void>;
}

export const REGISTRATION_TOKEN = 'not-a-secret-registration';
export const WEBHOOK_SECRET = 'not-a-secret-webhook';
/** Of a second forge of the same kind, which serves a repository of the same name. */
export const OTHER_WEBHOOK_SECRET = 'not-a-secret-other-webhook';
export const CLONE_URL = 'http://127.0.0.1:1/demo/shop.git';

/** What these gateways trust; made anew for each test file. */
export const CHECKPOINT_KEY: SigningKey = readSigningKey(
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
);

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };
const ACTOR: Actor = { kind: 'service', name: 'test' };

const FORGES = {
  forges: [
    {
      kind: 'github',
      name: 'github',
      apiUrl: 'http://127.0.0.1:1',
      webhookSecret: { env: 'TEST_WEBHOOK_SECRET' },
      cloneProtocols: ['http'],
      allowPrivateAddresses: true,
      repositories: [{ id: 'github/demo/shop', cloneUrl: CLONE_URL }],
    },
    {
      kind: 'github',
      name: 'github-elsewhere',
      apiUrl: 'http://127.0.0.1:1',
      webhookSecret: { env: 'TEST_OTHER_WEBHOOK_SECRET' },
      cloneProtocols: ['http'],
      allowPrivateAddresses: true,
      repositories: [{ id: 'github-elsewhere/demo/shop', cloneUrl: CLONE_URL }],
    },
  ],
};

/** What a gateway stands on, and what the test itself uses in the orchestrator's place. */
interface Ground {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly bus: Bus;
  readonly log: LogConnection;
  readonly writer: LogWriter;
  readonly clear: () => Promise<void>;
}

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function layGround(): Promise<Ground> {
  const [database, nats] = await Promise.all([freshDatabase(), freshNats()]);
  await migrate({ adminUrl: database.adminUrl });
  const urls = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
  const directory = await mkdtemp(join(tmpdir(), 'delta-gateway-'));
  await mkdir(join(directory, 'artifacts'));
  await writeFile(join(directory, 'forges.json'), JSON.stringify(FORGES));
  await mkdir(join(directory, 'checkpoint-keys'));
  await writeFile(join(directory, 'checkpoint-keys', 'test.pem'), CHECKPOINT_KEY.publicKey);
  const log = await openLog({ databaseUrl: urls.orchestratorUrl, applicationName: 'test' });
  const writer = new LogWriter({ pool: log.pool });
  const bus = await connectBus({ servers: [nats.url], name: 'test', log: QUIET });
  return {
    directory,
    bus,
    log,
    writer,
    env: {
      DELTA_DATABASE_URL: urls.readerUrl,
      DELTA_NATS_URL: nats.url,
      DELTA_ARTIFACT_DIR: join(directory, 'artifacts'),
      DELTA_FORGES_FILE: join(directory, 'forges.json'),
      DELTA_DATA_DIR: join(directory, 'data'),
      DELTA_ADMIN_TOKEN_FILE: join(directory, 'data', 'admin-token'),
      DELTA_CHECKPOINT_KEYS_DIR: join(directory, 'checkpoint-keys'),
      DELTA_REGISTRATION_TOKEN: REGISTRATION_TOKEN,
      DELTA_HTTP_PORT: '0',
      DELTA_LOG_LEVEL: 'debug',
    },
    async clear() {
      await bus.close();
      await writer.close();
      await log.close();
      await Promise.all([database.drop(), nats.remove(), rm(directory, { recursive: true, force: true })]);
    },
  };
}

interface Started extends Pick<TestGateway, 'url' | 'lines' | 'routes'> {
  readonly stop: () => Promise<string[]>;
}

async function startOn(env: Readonly<Record<string, string>>): Promise<Started> {
  const lines: string[] = [];
  let routes: readonly string[] = [];
  const start = async (service: Parameters<typeof startGateway>[0]) => {
    const app = await startGateway(service, {
      TEST_WEBHOOK_SECRET: WEBHOOK_SECRET,
      TEST_OTHER_WEBHOOK_SECRET: OTHER_WEBHOOK_SECRET,
    });
    routes = routesIn(app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }));
  };
  const definition = { name: 'gateway', settings: gatewaySettings, start };
  const prepared = prepareService(definition, { env, sink: { write: (line: string) => void lines.push(line) } });
  if (!prepared.ok) throw new Error(JSON.stringify(prepared.problems));
  const started = await prepared.service.start();
  if (started.outcome !== 'ready') throw new Error('the gateway did not start');
  const stop = async () => prepared.service.stop('the test is over');
  return { url: `http://127.0.0.1:${started.port}`, lines, routes, stop };
}

/** @param settings environment variables besides those that every gateway needs */
export async function testGateway(settings: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const { directory, env, bus, log, writer, clear } = await layGround();
  const { url, lines, routes, stop } = await startOn({ ...env, ...settings });
  let responder: Listener | null = null;
  let appended = 0;
  const twins: Started[] = [];
  return {
    url,
    adminToken: (await readFile(join(directory, 'data', 'admin-token'), 'utf8')).trim(),
    artifactDir: join(directory, 'artifacts'),
    bus,
    log,
    lines,
    routes,
    async answer(handlers) {
      await responder?.stop();
      responder = serveCommands(bus, handlers, { log: QUIET });
      await settled(bus);
    },
    async append(stream, events, plans = []) {
      appended += 1;
      const id = `append-${appended}`;
      const runs = stream.startsWith('run-') ? [stream.slice('run-'.length)] : [];
      const decide = () => ({ appends: [{ stream, events }], answer: { ok: true as const, result: {} }, plans });
      return writer.submit({ id, actor: ACTOR, causation: id, traceparent: null, runs, decide });
    },
    call: callsTo(url),
    stop,
    async twin() {
      const twin = await startOn({ ...env, ...settings });
      twins.push(twin);
      return { call: callsTo(twin.url), stop: twin.stop };
    },
    async end() {
      await Promise.all([stop(), ...twins.map(async (twin) => twin.stop())]);
      await responder?.stop();
      await clear();
    },
  };
}

function callsTo(url: string): TestGateway['call'] {
  return async (path, { token, ...init } = {}) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return fetch(url + path, { ...init, headers: { ...authorization, ...(init.headers as Record<string, string>) } });
  };
}

/** A subscription is in place once the server has answered something that was sent after it. */
async function settled(bus: Bus): Promise<void> {
  await bus.request({ subject: 'delta.nobody', headers: {}, body: new Uint8Array() }, 1_000);
}

/** A signed GitHub delivery. */
export function delivery(event: string, deliveryId: string, payload: unknown, secret = WEBHOOK_SECRET): RequestInit {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': deliveryId,
      'x-hub-signature-256': signLikeGitHub(Buffer.from(body), secret),
    },
  };
}

/** A push to the main branch of the served repository. */
export const pushPayload = (over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  ref: 'refs/heads/main',
  before: 'a'.repeat(40),
  after: 'b'.repeat(40),
  deleted: false,
  created: false,
  repository: { full_name: 'demo/shop', clone_url: 'https://elsewhere.example/x.git', default_branch: 'main' },
  sender: { login: 'ada' },
  head_commit: { message: 'add a cart' },
  ...over,
});

/** A JSON request. */
export const json = (value: unknown, method = 'POST'): RequestInit => ({
  method,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json' },
});

/** Routes in the tree that Fastify prints: a level is four characters, and a node's path begins with its parent's. */
function routesIn(tree: string): string[] {
  const routes: string[] = [];
  const parents: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent = '', part = '', methods = ''] = /^([│├└─ ]*)([^(]*?)(?: \(([A-Z, -]+)\))?$/u.exec(line) ?? [];
    const depth = indent.length / 4;
    if (part === '') continue;
    parents.splice(depth);
    parents[depth] = (parents[depth - 1] ?? '') + part;
    const named = methods.split(', ').filter((method) => method !== '' && method !== '-' && method !== 'HEAD');
    routes.push(...named.map((method) => `${method} ${parents[depth]}`));
  }
  return routes;
}
