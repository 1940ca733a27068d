import { isRate, number, ofRaw, words, type Figure, type Unit } from './figure.ts';

/** What is to be reached. `of: 'raw'` judges the figure by its raw limit in the same run, which no machine's speed changes. */
export type Goal = { readonly figure: string; readonly why: string } & (
  (Scale & ({ readonly least: number } | { readonly most: number })) | { readonly aheadOf: string }
);

type Scale = { readonly of: 'raw' } | { readonly of: 'value'; readonly unit: Unit };

/** What others say first, or again after a commit; each round asks all of them. */
const PLANNERS = ['nx', 'turbo'];

/** The peers that record durably what was done; all are measured in the same run on the same servers. */
const PEERS = ['bullmq', 'graphile-worker', 'pg-boss', 'dbos', 'restate'];

/** Services and servers; runners have a goal of their own. */
const KILLED = [
  'orchestrator',
  'planner',
  'failure-analyzer',
  'status-reporter',
  'gateway',
  'runner-controller',
  'postgres',
  'nats-server',
];

const aheadOfPeers = (figure: string, peers: readonly string[]): Goal[] =>
  peers.map((peer) => ({
    figure,
    aheadOf: `peers.${peer}`,
    why: `more jobs per second than ${peer} in the same run`,
  }));

export const GOALS: readonly Goal[] = [
  {
    figure: 'append.run-events',
    of: 'raw',
    least: 0.35,
    why: 'event, chain, projections and inbox cost at most three times a plain insert',
  },
  {
    figure: 'replay.verified',
    of: 'value',
    unit: '/s',
    least: 100_000,
    why: 'a log of a year is verified over lunch',
  },
  { figure: 'replay.folded', of: 'value', unit: '/s', least: 100_000, why: 'a log of a year is compared over lunch' },
  {
    figure: 'replay.folding-memory',
    of: 'value',
    unit: 'MB',
    most: 512,
    why: 'memory follows the work under way, not the log',
  },
  {
    figure: 'replay.rebuilt',
    of: 'value',
    unit: '/s',
    least: 100_000,
    why: 'tables are made anew from the log over lunch',
  },
  {
    figure: 'replay.memory-growth',
    of: 'value',
    unit: 'MB',
    most: 64,
    why: 'memory stays flat, however long the log is',
  },
  {
    figure: 'jobs-bus.at-100',
    of: 'raw',
    least: 0.5,
    why: 'at most twice the cost of dispatching and recording five rows without deciding anything',
  },
  ...aheadOfPeers('peers.ours-bus', PEERS),
  {
    figure: 'jobs-http.at-100',
    of: 'value',
    unit: '/s',
    least: 1_000,
    why: 'the whole protocol of runners is no bottleneck',
  },
  ...aheadOfPeers('peers.ours-http', PEERS.slice(1)),
  {
    figure: 'webhook-to-lease.known-p50',
    of: 'value',
    unit: 'ms',
    most: 15,
    why: 'an idle system starts at once when the commit and its plan are known',
  },
  {
    figure: 'webhook-to-lease.known-p99',
    of: 'value',
    unit: 'ms',
    most: 50,
    why: 'an idle system always starts at once when the commit and its plan are known',
  },
  { figure: 'sandbox-true.p50', of: 'value', unit: 'ms', most: 25, why: 'isolation does not slow small jobs down' },
  {
    figure: 'heartbeats.orchestrator-cpu',
    of: 'value',
    unit: '% of a core',
    most: 15,
    why: 'ten thousand runners on one orchestrator',
  },
  { figure: 'log-follow.p99', of: 'value', unit: 'ms', most: 300, why: 'whoever reads along sees what happens now' },
  {
    figure: 'first-job.started',
    of: 'value',
    unit: 's',
    most: 15,
    why: 'a newcomer sees a job before losing interest',
  },
  { figure: 'idle.memory', of: 'value', unit: 'MB', most: 900, why: 'the whole mesh fits beside other work' },
  { figure: 'idle.cpu', of: 'value', unit: '% of a core', most: 2, why: 'a mesh without work costs nothing' },
  ...['10k', '100k', '1m'].map((size): Goal => ({
    figure: `growth.cost-at-${size}`,
    of: 'raw',
    most: 1.2,
    why: 'a job costs the same however many there were before',
  })),
  ...KILLED.map((process): Goal => ({
    figure: `recovery.${process}`,
    of: 'value',
    unit: 's',
    most: 5,
    why: 'what is killed is hardly missed',
  })),
  {
    figure: 'recovery.runner-noticed',
    of: 'raw',
    most: 1,
    why: 'a killed runner is noticed within its lease and ten seconds',
  },
  {
    figure: 'plan.cold-1000',
    of: 'value',
    unit: 'ms',
    most: 500,
    why: 'a large workspace that was never seen is planned before anybody looks',
  },
  { figure: 'plan.warm-1000', of: 'value', unit: 'ms', most: 100, why: 'the next commit of it costs next to nothing' },
  {
    figure: 'what-if.real',
    of: 'value',
    unit: 's',
    most: 60,
    why: 'a thousand commits of a large repository are planned again in a minute',
  },
  ...PLANNERS.map((planner): Goal => ({
    figure: 'plan-peers.ours-warm',
    aheadOf: `plan-peers.${planner}-warm`,
    why: `what a change reaches is said sooner than by ${planner}, process and all, in the same run`,
  })),
];

export type Verdict = 'met' | 'not met' | 'not measured';

export interface Judged {
  readonly goal: Goal;
  readonly verdict: Verdict;
  /** `at least 0.35 of raw`. */
  readonly wanted: string;
  /** `0.41 of raw`; empty when it was not measured. */
  readonly found: string;
}

/** Holds every goal against the figures of one run. */
export function judge(figures: readonly Figure[], goals: readonly Goal[] = GOALS): Judged[] {
  const byName = new Map(figures.map((figure) => [figure.name, figure]));
  return goals.map((goal) => ({ goal, ...judgeOne(goal, byName) }));
}

function judgeOne(goal: Goal, figures: ReadonlyMap<string, Figure>): Omit<Judged, 'goal'> {
  const figure = figures.get(goal.figure);
  if ('aheadOf' in goal) return judgeRace(figure, figures.get(goal.aheadOf), goal.aheadOf);
  const value = figure === undefined ? null : onScale(goal, figure);
  const [bound, word] = 'least' in goal ? [goal.least, 'at least'] : [goal.most, 'at most'];
  const read = (amount: number): string =>
    goal.of === 'raw' ? `${number(amount)} of raw` : words({ value: amount, unit: goal.unit });
  const wanted = `${word} ${read(bound)}`;
  if (value === null || !Number.isFinite(value)) return { verdict: 'not measured', wanted, found: '' };
  const met = 'least' in goal ? value >= bound : value <= bound;
  return { verdict: met ? 'met' : 'not met', wanted, found: read(value) };
}

function judgeRace(ours: Figure | undefined, theirs: Figure | undefined, name: string): Omit<Judged, 'goal'> {
  const wanted = theirs === undefined ? `ahead of ${name}` : `ahead of ${name} (${words(theirs)})`;
  if (ours === undefined || theirs === undefined) return { verdict: 'not measured', wanted, found: '' };
  const met = isRate(ours) ? ours.value > theirs.value : ours.value < theirs.value;
  return { verdict: met ? 'met' : 'not met', wanted, found: words(ours) };
}

/** @throws when the measure has another unit than the goal: they would be compared as if they had the same */
function onScale(scale: Scale, figure: Figure): number | null {
  if (scale.of === 'raw') return ofRaw(figure);
  if (scale.unit !== figure.unit) throw new Error(`${figure.name} is in "${figure.unit}", its goal in "${scale.unit}"`);
  return figure.value;
}
