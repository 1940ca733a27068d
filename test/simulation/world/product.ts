import type { DescribedTable } from '../database/projection-statements.ts';

/**
 * The product, as the simulator drives it. Its rooms are entered by their doors; what lies behind the doors of apps, which
 * nobody imports, is loaded here by path, the way a process would start it.
 */
export interface Product {
  readonly startOrchestrator: StartService;
  readonly startGateway: StartService;
  readonly startReporter: StartService;
  readonly startController: StartService;
  readonly startRunner: StartService;
  readonly onRunCreated: (tools: unknown, event: unknown, context: unknown) => Promise<void>;
  readonly LeaseController: ControllerClass;
  readonly UploadController: ControllerClass;
  readonly RunnerController: ControllerClass;
  readonly RunController: ControllerClass;
  readonly WebhookController: ControllerClass;
  readonly PARTS: symbol;
  readonly CRASH_POINTS: readonly string[];
  readonly tables: readonly DescribedTable[];
  /** The statements that make the tables. */
  readonly schema: readonly string[];
  readonly project: (event: unknown) => readonly RowChange[];
}

export type StartService = (service: unknown, environment: unknown, parent?: unknown) => Promise<unknown>;
type Handler = (...given: unknown[]) => Promise<unknown>;
export type ControllerClass = new (parts: unknown) => Readonly<Record<string, Handler>>;

export interface RowChange {
  readonly table: string;
  readonly kind: 'put' | 'patch';
  readonly row: Readonly<Record<string, unknown>>;
}

const APPS = {
  startOrchestrator: 'orchestrator/src/start-orchestrator.ts',
  startGateway: 'gateway/src/start-gateway.ts',
  startReporter: 'status-reporter/src/start-reporter.ts',
  startController: 'runner-controller/src/start-controller.ts',
  startRunner: 'runner/src/start-runner.ts',
  onRunCreated: 'planner/src/on-run-created.ts',
  LeaseController: 'gateway/src/runners/lease-controller.ts',
  UploadController: 'gateway/src/runners/upload-controller.ts',
  RunnerController: 'gateway/src/runners/runner-controller.ts',
  RunController: 'gateway/src/runs/run-controller.ts',
  WebhookController: 'gateway/src/webhooks/webhook-controller.ts',
  PARTS: 'gateway/src/parts.ts',
  CRASH_POINTS: 'orchestrator/src/crash-points.ts',
} as const;

const PROJECTIONS = new URL('../../../libs/event-log/src/projections/', import.meta.url);
const MIGRATION = new URL('../schema/migrations/1763600000002-create-projections.ts', PROJECTIONS);

type Migration = new () => { up: (runner: { query: (statement: string) => Promise<void> }) => Promise<void> };

interface Loaded {
  readonly [name: string]: unknown;
}

async function load(url: URL): Promise<Loaded> {
  return (await import(url.href)) as Loaded;
}

/** Loads everything once: the realm is kept for many seeds. */
export async function loadProduct(): Promise<Product> {
  const product: Partial<Record<keyof Product, unknown>> = {};
  for (const [name, path] of Object.entries(APPS)) {
    product[name as keyof typeof APPS] = (await load(new URL(`../../../apps/${path}`, import.meta.url)))[name];
  }
  const { PROJECTION_TABLES } = await load(new URL('tables.ts', PROJECTIONS));
  const { CHANGING_COLUMNS } = await load(new URL('changing-columns.ts', PROJECTIONS));
  const { project } = await load(new URL('project.ts', PROJECTIONS));
  const changing = CHANGING_COLUMNS as Readonly<Record<string, readonly string[]>>;
  const described = Object.values(PROJECTION_TABLES as Readonly<Record<string, DescribedTable>>);
  const tables = described.map((table) => ({ ...table, changing: changing[table.name] ?? [] }));
  return Object.assign(product, { tables, project, schema: await schemaOf(MIGRATION) }) as Product;
}

/** What a migration would run. */
async function schemaOf(migration: URL): Promise<string[]> {
  const statements: string[] = [];
  const query = (statement: string): Promise<void> => Promise.resolve(void statements.push(statement));
  for (const made of Object.values(await load(migration))) await new (made as Migration)().up({ query });
  return statements;
}
