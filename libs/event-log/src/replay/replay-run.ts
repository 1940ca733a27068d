import {
  poolStream,
  runnerStream,
  runStream,
  RunnerCapabilities,
  type Digest,
  type JobRequirements,
  type JsonDifference,
  type PoolName,
  type RecordedEvent,
  type RecordedEventOf,
  type RunId,
  type StreamId,
} from '@delta-ci/contracts';
import {
  matchRequirements,
  redecideRerun,
  redecideRun,
  redecideScaling,
  type RunAggregate,
  type RunCommandType,
} from '@delta-ci/domain';
import type { LogConnection } from '../connection.ts';
import { LogReader } from '../read/log-reader.ts';

/** A recorded decision that would be another one today: where it stands and the first field that differs. */
export interface DecisionDifference extends JsonDifference {
  readonly position: number;
  readonly event: RecordedEvent['type'];
  /** What was asked; null when nothing that can be asked leads to this event here. */
  readonly decision: RunCommandType | 'rerun' | 'dispatch' | 'scaling' | null;
}

export interface ReplayedRun {
  readonly runId: RunId;
  /** Events of the run's stream. */
  readonly events: number;
  /** Decisions made again, by what was asked. */
  readonly decisions: Readonly<Partial<Record<RunCommandType | 'rerun' | 'dispatch' | 'scaling', number>>>;
  /** Decisions that cannot be made again, because their inputs were not recorded yet. */
  readonly notRecorded: Readonly<Partial<Record<'scaling', number>>>;
  /** In the order of the log; the run's own course ends at its first. */
  readonly differences: readonly DecisionDifference[];
  /** What the planner has to decide again; null when planning did not end. */
  readonly planning: RecordedPlanning | null;
}

export type RecordedPlanning = { readonly position: number; readonly inputsDigest: Digest | null } & (
  | { readonly ok: true; readonly planDigest: Digest }
  | { readonly ok: false; readonly code: string; readonly message: string }
);

const PAGE = 2_000;

/**
 * Makes a run's recorded decisions again, with the deciders of this release: the run's own course (admission, leases,
 * classification, retries, cancels, deadlines, outcome), where a rerun started from, whether each runner could do what it
 * was given, and the scaling decisions of its pools while it ran. What the plan was made of is named for whoever can read
 * it. Null when there is no such run.
 */
export async function replayRun(log: LogConnection, runId: RunId): Promise<ReplayedRun | null> {
  const reader = new LogReader(log);
  const events = await wholeStream(reader, runStream(runId));
  if (events.length === 0) return null;
  const course = redecideRun(events.map((event) => ({ event, atMs: Date.parse(event.time), actor: event.actor })));
  const rerun = await rerunAgain(reader, events);
  const dispatches = await dispatchesAgain(reader, events);
  const scaling = await scalingAgain(reader, events);
  return {
    runId,
    events: events.length,
    decisions: { ...course.decisions, ...rerun.decisions, ...dispatches.decisions, ...scaling.decisions },
    notRecorded: scaling.notRecorded,
    differences: [
      ...departureOf(events, course),
      ...rerun.differences,
      ...dispatches.differences,
      ...scaling.differences,
    ].sort((one, other) => one.position - other.position),
    planning: planningOf(events),
  };
}

interface Again {
  readonly decisions: ReplayedRun['decisions'];
  readonly notRecorded: ReplayedRun['notRecorded'];
  readonly differences: readonly DecisionDifference[];
}

const NOTHING: Again = { decisions: {}, notRecorded: {}, differences: [] };

function departureOf(
  events: readonly RecordedEvent[],
  { departure }: ReturnType<typeof redecideRun>,
): DecisionDifference[] {
  if (departure === null) return [];
  // Something was decided that is not there at all: it should stand after the last one.
  const event = events[departure.at] ?? events.at(-1);
  if (event === undefined) return [];
  return [{ ...departure.difference, position: event.position, event: event.type, decision: departure.command }];
}

async function rerunAgain(reader: LogReader, [created]: readonly RecordedEvent[]): Promise<Again> {
  if (created?.type !== 'run.created' || created.data.rerun === null) return NOTHING;
  const source = await wholeStream(reader, runStream(created.data.rerun.of));
  const difference = redecideRerun(foldOf(source), created.data);
  return { ...NOTHING, decisions: { rerun: 1 }, differences: differencesOf(created, 'rerun', difference) };
}

/** A run as far as its decisions can be followed. */
const foldOf = (events: readonly RecordedEvent[]): RunAggregate =>
  redecideRun(events.map((event) => ({ event, atMs: Date.parse(event.time), actor: event.actor }))).run;

/** Whether every runner that got a lease offers what the attempt asked for, as both are recorded. */
async function dispatchesAgain(reader: LogReader, events: readonly RecordedEvent[]): Promise<Again> {
  const asked = new Map<string, JobRequirements>();
  const differences: DecisionDifference[] = [];
  let dispatches = 0;
  for (const event of events) {
    if (event.type === 'attempt.queued') asked.set(attemptOf(event.data), event.data.requirements);
    if (event.type !== 'lease.granted') continue;
    const requirements = asked.get(attemptOf(event.data));
    if (requirements === undefined) continue;
    dispatches += 1;
    differences.push(...differencesOf(event, 'dispatch', await misfit(reader, event, requirements)));
  }
  return dispatches === 0 ? NOTHING : { ...NOTHING, decisions: { dispatch: dispatches }, differences };
}

const attemptOf = ({ jobKey, attempt }: { jobKey: string; attempt: number }): string => `${jobKey} ${attempt}`;

async function misfit(
  reader: LogReader,
  granted: RecordedEventOf<'lease.granted'>,
  requirements: JobRequirements,
): Promise<JsonDifference | null> {
  const spoken = await wholeStream(reader, runnerStream(granted.data.runnerId));
  const registered = spoken.findLast(
    (event): event is RecordedEventOf<'runner.registered'> =>
      event.type === 'runner.registered' && event.position < granted.position,
  );
  const field = 'data.runnerId';
  const { runnerId } = granted.data;
  if (registered === undefined) return { field, recorded: runnerId, decided: 'this runner never registered' };
  const capabilities = RunnerCapabilities.safeParse(registered.data.capabilities);
  if (!capabilities.success) return { field, recorded: runnerId, decided: 'what this runner offers has no shape' };
  const match = matchRequirements(requirements, capabilities.data);
  if (match.ok) return null;
  return { field, recorded: runnerId, decided: `this runner lacks ${JSON.stringify(match.mismatches)}` };
}

async function scalingAgain(reader: LogReader, events: readonly RecordedEvent[]): Promise<Again> {
  const pools = new Set(events.flatMap((event) => (event.type === 'attempt.queued' ? [event.data.pool] : [])));
  const first = events[0]?.position ?? 0;
  const last = events.findLast(({ type }) => type === 'run.finished')?.position ?? Number.MAX_SAFE_INTEGER;
  const differences: DecisionDifference[] = [];
  const counted = { scaling: 0, notRecorded: 0 };
  for (const pool of pools) {
    for await (const event of scalingOf(reader, pool, first, last)) {
      const difference = redecideScaling(event.data);
      if (difference === 'not-recorded') counted.notRecorded += 1;
      else {
        counted.scaling += 1;
        differences.push(...differencesOf(event, 'scaling', difference));
      }
    }
  }
  return {
    decisions: counted.scaling === 0 ? {} : { scaling: counted.scaling },
    notRecorded: counted.notRecorded === 0 ? {} : { scaling: counted.notRecorded },
    differences,
  };
}

async function* scalingOf(
  reader: LogReader,
  pool: PoolName,
  first: number,
  last: number,
): AsyncGenerator<RecordedEventOf<'scaling.decided'>> {
  const stream = poolStream(pool);
  for (let after = await reader.versionAt(stream, first); ;) {
    const events = await reader.readStream(stream, after, PAGE);
    for (const event of events) {
      if (event.position > last) return;
      if (event.type === 'scaling.decided') yield event;
    }
    if (events.length < PAGE) return;
    after = events.at(-1)?.version ?? after;
  }
}

function differencesOf(
  { position, type }: RecordedEvent,
  decision: DecisionDifference['decision'],
  difference: JsonDifference | null,
): DecisionDifference[] {
  return difference === null ? [] : [{ ...difference, position, event: type, decision }];
}

function planningOf(events: readonly RecordedEvent[]): RecordedPlanning | null {
  for (const { position, type, data } of events) {
    if (type === 'run.planned')
      return { ok: true, position, planDigest: data.planDigest, inputsDigest: data.inputsDigest };
    if (type === 'run.planning-failed') return { ok: false, position, ...data };
  }
  return null;
}

async function wholeStream(reader: LogReader, stream: StreamId): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let read = PAGE; read === PAGE;) {
    const page = await reader.readStream(stream, events.length, PAGE);
    events.push(...page);
    read = page.length;
  }
  return events;
}
