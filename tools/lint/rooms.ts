/**
 * The import table: which rooms the house has, what each is for, and whom it may import. `npm run lint` holds the real
 * graph against it, and the rooms table of `docs/architecture.md` says the same. A room that needs another
 * arrow needs a decision record first (`docs/decisions/`).
 */
export type RoomKind = 'app' | 'lib';

export interface Room {
  readonly kind: RoomKind;
  /** What the room is for, in one line. */
  readonly purpose: string;
  /** Libs of ours that the room may import. */
  readonly ours: readonly string[];
  /** npm packages that the room may import; `@scope/*` stands for a whole scope. */
  readonly packages: readonly string[];
  /** A pure room imports nothing of the runtime and knows no clock, randomness or environment. */
  readonly pure?: true;
}

/** Nest, and the two packages it asks its users to bring. */
const nest = ['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs'];
/** What a service that answers HTTP and listens to the bus is made of. */
const serviceFrame = [...nest, '@nestjs/platform-fastify', '@nestjs/microservices'];

const libs: Readonly<Record<string, Room>> = {
  contracts: {
    kind: 'lib',
    purpose: 'the language: ids, events, commands, reports, runner messages, config file, subjects',
    ours: [],
    packages: ['zod'],
    pure: true,
  },
  domain: {
    kind: 'lib',
    purpose: 'state machines and rules of runs, jobs, attempts and leases as tables and pure functions',
    ours: ['contracts'],
    packages: [],
    pure: true,
  },
  planning: {
    kind: 'lib',
    purpose: 'repository snapshot, diff and policy become a checked plan with its explanation',
    ours: ['contracts'],
    packages: ['js-yaml', 'yaml', 'smol-toml', 'saxes'],
    pure: true,
  },
  analysis: {
    kind: 'lib',
    purpose: 'evidence becomes a classification: log rules, report parsers, redaction',
    ours: ['contracts'],
    packages: ['re2js', 'saxes'],
    pure: true,
  },
  'event-log': {
    kind: 'lib',
    purpose: 'the log in Postgres: append, read, projections, hash chain, migrations, named queries',
    ours: ['contracts', 'domain'],
    packages: ['pg', 'typeorm', 'reflect-metadata'],
  },
  bus: {
    kind: 'lib',
    purpose: 'JetStream: streams, publish, consume, request; the transport strategy; an in-memory twin',
    ours: ['contracts'],
    packages: ['@nats-io/*', '@nestjs/microservices', ...nest],
  },
  'artifact-store': {
    kind: 'lib',
    purpose: 'bytes by their digest and logs by their offset, behind one door',
    ours: ['contracts'],
    packages: ['@aws-sdk/*'],
  },
  forge: {
    kind: 'lib',
    purpose: 'forges: verify and normalise webhooks, publish checks, clone addresses',
    ours: ['contracts'],
    packages: ['@octokit/*', '@gitbeaker/rest', 'zod'],
  },
  git: {
    kind: 'lib',
    purpose: 'the git command line, kept clean of hostile input: mirrors, snapshots, diffs',
    ours: ['contracts'],
    packages: [],
  },
  sandbox: {
    kind: 'lib',
    purpose: 'executors that run untrusted steps, behind one documented interface',
    ours: ['contracts'],
    packages: ['tar-stream', 'zod'],
  },
  egress: {
    kind: 'lib',
    purpose: 'the proxy through which a job reaches what its allow-list names, and what it decided',
    ours: ['contracts', 'git'],
    packages: [],
  },
  service: {
    kind: 'lib',
    purpose: 'how a process lives: configuration, logs, traces, metrics, health, start and stop order',
    ours: ['contracts'],
    packages: ['@nestjs/*', 'reflect-metadata', 'rxjs', '@opentelemetry/*', 'pino', 'zod'],
  },
};

const apps: Readonly<Record<string, Room>> = {
  gateway: {
    kind: 'app',
    purpose: 'the only public listener: webhooks, public API, runner API, live feed',
    ours: ['contracts', 'event-log', 'bus', 'artifact-store', 'forge', 'service'],
    packages: [...serviceFrame, 'jose', 'zod'],
  },
  orchestrator: {
    kind: 'app',
    purpose: 'the sole writer of the log: decides, times, dispatches, relays',
    ours: ['contracts', 'domain', 'event-log', 'bus', 'artifact-store', 'service'],
    packages: [...serviceFrame, 'uuid', 'zod'],
  },
  planner: {
    kind: 'app',
    purpose: 'planning requested becomes plan proposed or planning failed',
    ours: ['contracts', 'planning', 'event-log', 'git', 'bus', 'artifact-store', 'forge', 'service'],
    packages: [...serviceFrame, 'zod'],
  },
  'failure-analyzer': {
    kind: 'app',
    purpose: 'attempt failed becomes failure explained, with evidence',
    ours: ['contracts', 'analysis', 'bus', 'artifact-store', 'service'],
    packages: [...serviceFrame, 'zod'],
  },
  'status-reporter': {
    kind: 'app',
    purpose: 'the only room that talks back to a forge: checks, annotations, summary',
    ours: ['contracts', 'event-log', 'bus', 'forge', 'service'],
    packages: [...serviceFrame, 'zod'],
  },
  'runner-controller': {
    kind: 'app',
    purpose: 'demand becomes bounded, explained scaling decisions and provisioned runners',
    ours: ['contracts', 'domain', 'event-log', 'bus', 'service'],
    packages: [...serviceFrame, 'zod'],
  },
  runner: {
    kind: 'app',
    purpose: 'data plane: one lease, one sandbox, one job, then gone',
    ours: ['contracts', 'git', 'sandbox', 'egress', 'service'],
    packages: ['tar-stream', 'zod'],
  },
  cli: {
    kind: 'app',
    purpose: '`delta`: plan and run locally, ask a running mesh why',
    ours: ['contracts', 'planning', 'analysis', 'event-log', 'artifact-store', 'sandbox', 'egress', 'git', 'service'],
    packages: ['commander', 'cli-table3', 'picocolors', 'eventsource-parser', 'zod'],
  },
};

export const rooms: Readonly<Record<string, Room>> = { ...libs, ...apps };

/** Workspaces beside the rooms; they are never shipped, and may enter every lib through its door. */
export const workshops: readonly string[] = ['test', 'tools'];

/** Files that load sources by names they compute, as a process would start them; see decisions 0013 and 0038. */
export const loaders: readonly string[] = ['test/simulation/world/product.ts', 'tools/mesh/settings-of-services.ts'];
