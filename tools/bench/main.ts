import { parseBenchArguments, USAGE, type BenchArguments } from './arguments.ts';
import { describeMachine, loadNow } from './machine.ts';
import type { Measure } from './measure.ts';
import { MEASURES } from './measures.ts';
import { record, recordedRun } from './record.ts';
import { judge } from './report/goals.ts';
import { figuresOf, type Measured, type Recorded } from './report/history.ts';
import { columns, goalLines, machineLine, measuredLines } from './report/table.ts';
import { Interrupted, Scene } from './scene.ts';
import { showUsage } from '../bootstrap/index.mjs';

const parsed = parseBenchArguments(
  process.argv.slice(2),
  MEASURES.map(({ name }) => name),
);
switch (parsed.kind) {
  case 'usage':
    process.exitCode = showUsage(USAGE, parsed.problem);
    break;
  case 'list':
    print(columns(MEASURES.map(({ name, what, byName }) => [name, byName === true ? `${what} (by name)` : what])));
    break;
  case 'measure':
    process.exitCode = await bench(parsed.bench);
    break;
}

/** @returns the exit code: 1 when a measure failed, 130 when it was interrupted */
async function bench(args: BenchArguments): Promise<number> {
  const stop = stopOnSignals();
  const run = recordedRun(describeMachine());
  const { json } = args;
  if (!json) print([machineLine(run.machine)]);
  let failed = 0;
  for (const measure of chosen(args)) {
    const measured = await take(measure, args, stop);
    if (measured === 'interrupted') return 130;
    if (measured === 'failed') failed += 1;
    else await keep(run, measured, args);
    if (!json && typeof measured === 'object') print(measuredLines(measured));
  }
  print(json ? [JSON.stringify(run, null, 2)] : goalLines(judge(figuresOf(run))));
  return failed === 0 ? 0 : 1;
}

/** Recorded at once: a later measure may be interrupted. */
async function keep(run: Recorded, measured: Measured, args: BenchArguments): Promise<void> {
  run.measured.push(measured);
  if (args.record) process.stderr.write(`  recorded in ${await record(run)}\n`);
}

function chosen({ only, peers }: BenchArguments): Measure[] {
  if (only === null) return MEASURES.filter(({ name, byName }) => byName !== true || (peers && PEERS.includes(name)));
  return only.flatMap((name) => MEASURES.filter((measure) => measure.name === name));
}

/** Measures beside others. */
const PEERS: readonly string[] = ['peers', 'plan-peers'];

interface Stop {
  /** Ends the present measure; null between two. */
  scene: Scene | null;
  asked: boolean;
}

async function take(
  { name, run }: Measure,
  { quick, jobsMax, replayedRuns, repo }: BenchArguments,
  stop: Stop,
): Promise<Measured | 'failed' | 'interrupted'> {
  const scene = new Scene();
  stop.scene = scene;
  const [at, loadBefore] = [new Date().toISOString(), loadNow()];
  const say = (what: string): void => void process.stderr.write(`  ${name}: ${what} ...\n`);
  try {
    const figures = await run({ scene, share: quick ? 0.1 : 1, jobsMax, replayedRuns, repo, say });
    return { measure: name, at, loadBefore, quick, figures };
  } catch (error) {
    if (stop.asked || error instanceof Interrupted) return 'interrupted';
    complain(name, error);
    return 'failed';
  } finally {
    // What could not be closed spoils no figure.
    await scene.end().catch((error: unknown) => complain(name, error));
    stop.scene = null;
  }
}

function complain(name: string, error: unknown): void {
  process.stderr.write(`bench: ${name}: ${error instanceof Error ? error.stack : String(error)}\n`);
}

/** The first signal closes what is open, in order; a second one ends us at once, and the servers' leashes do the rest. */
function stopOnSignals(): Stop {
  const stop: Stop = { scene: null, asked: false };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stop.asked) process.exit(130);
      stop.asked = true;
      // What breaks from now on breaks because its server is being stopped; the closing goes on all the same.
      process.on('uncaughtException', () => undefined);
      process.on('unhandledRejection', () => undefined);
      process.stderr.write('bench: stopping what was started\n');
      const ended = stop.scene?.end() ?? Promise.resolve();
      void ended.catch(() => undefined).then(() => process.exit(130));
    });
  }
  return stop;
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}
