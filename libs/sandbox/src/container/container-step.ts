import type { IncomingMessage } from 'node:http';
import { posix } from 'node:path';
import { errorInWords } from '../error-code.ts';
import { WORKSPACE_DIR } from '../bubblewrap/bubblewrap-arguments.ts';
import { CappedOutput } from '../capped-output.ts';
import { diskExceeded } from '../disk-usage.ts';
import { SANDBOX_VARIABLE } from '../leftovers.ts';
import { refusal } from '../refusal.ts';
import { NEVER_BEGAN, NOT_COUNTED, outcomeOf } from '../run-step.ts';
import type { OutputSink, StepOutcome, StepSpec } from '../sandbox-executor.ts';
import { insideCommand } from '../step-entry.ts';
import { StepStopper, watchStep } from '../step-stopper.ts';
import { saysStarted, type Supervised } from '../supervise-step.ts';
import { refuseTerminal } from '../terminal/step-terminal.ts';
import { AttachedOutput } from './attached-output.ts';
import { containerSettings, type ContainerLayout } from './container-settings.ts';
import type { ContainerEnd, EngineClient } from './engine-client.ts';

/** What the steps of one sandbox have in common. */
export type ContainerSteps = {
  readonly engine: EngineClient;
  readonly layout: ContainerLayout;
  readonly env: Readonly<Record<string, string>>;
  readonly killGraceMs: number;
};

const NO_ENTRY_LIMITS = { processes: null, dataBytes: null };

/**
 * The engine signals a container's first process only, which is deaf to SIGTERM as the first of its namespace; the step
 * is asked from inside. A step that leaves no room for one more process is not asked, and killed after the grace.
 */
const ASK_ALL_TO_END = ['/bin/sh', '-c', 'kill -TERM -1'];

/** The words of an entry or an engine that would not start a step. */
const SETUP_MESSAGE_CHARS = 4_096;

async function makeContainer({ engine, layout, env }: ContainerSteps, step: StepSpec, ordinal: number) {
  const workdir = posix.join(WORKSPACE_DIR, step.workdir);
  const command = insideCommand(step.command, workdir, NO_ENTRY_LIMITS, true);
  const all = { ...env, ...step.env, [SANDBOX_VARIABLE]: layout.sandboxId };
  const name = `delta-ci-${layout.sandboxId}-${ordinal}`;
  return engine.create(name, containerSettings(layout, command, all));
}

/** The step has handed over its stderr by the time it writes: what comes there is the entry's, the mark first. */
async function pumpAttached(stream: IncomingMessage, output: CappedOutput, onOutput: () => void, onStart: () => void) {
  const attached = new AttachedOutput();
  let said = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (const { from, bytes } of attached.take(chunk)) {
      if (from === 'stderr') {
        said = (said + bytes.toString('utf8')).slice(0, SETUP_MESSAGE_CHARS);
        if (saysStarted(said)) onStart();
        continue;
      }
      onOutput();
      await output.take(bytes);
    }
  }
  return said;
}

/** Sees a container through from its start to its end, whatever that takes. */
async function supervise(
  { engine, layout, killGraceMs }: ContainerSteps,
  id: string,
  step: StepSpec,
  sink: OutputSink,
): Promise<{ readonly supervised: Supervised; readonly end: ContainerEnd }> {
  const { promise: lost, reject: giveUp } = Promise.withResolvers<never>();
  const stopper = new StepStopper(
    () => void engine.runInside(id, ASK_ALL_TO_END).catch(() => undefined),
    () => void engine.kill(id).catch(giveUp),
    killGraceMs,
  );
  const output = new CappedOutput(step.outputBytes ?? layout.limits.outputBytes, sink, () =>
    stopper.stopAtOnce('canceled'),
  );
  const stream = await engine.attach(id);
  const startedAt = performance.now();
  await engine.start(id);
  const places = [layout.workspaceHostDir, layout.homeHostDir] as const;
  const watched = watchStep(step, stopper, (signal) =>
    diskExceeded(places, layout.limits, signal, async () => engine.processesOf(id).catch(() => [])),
  );
  const pumped = pumpAttached(stream, output, watched.sawOutput, () => stopper.stepStarted());
  // An engine that goes away ends both; the wait below says so for both.
  pumped.catch(() => undefined);
  try {
    const end = await Promise.race([engine.wait(id), lost]);
    const wallMs = performance.now() - startedAt;
    watched.disarm();
    const said = await pumped;
    const started = saysStarted(said);
    const supervised = {
      started,
      setupMessage: started ? '' : said.trim() || `the container ended with ${end.exitCode} before the step began`,
      stoppedFor: stopper.stoppedFor,
      exitCode: end.exitCode,
      signal: null,
      wallMs,
      output: output.totals(),
    };
    return { supervised, end };
  } finally {
    watched.disarm();
    stream.destroy();
  }
}

/**
 * Runs step number `ordinal` in a container of its own, which is killed and removed whatever happens. What the engine
 * refuses, and an engine that goes away meanwhile, is a fault and not an exception.
 */
export async function runContainerStep(
  steps: ContainerSteps,
  step: StepSpec,
  ordinal: number,
  sink: OutputSink,
): Promise<StepOutcome> {
  const refused = refuseTerminal(step, 'container');
  if (refused !== null) return { kind: 'fault', refusal: refused };
  if (step.signal?.aborted === true) return { kind: 'finished', result: NEVER_BEGAN };
  try {
    const id = await makeContainer(steps, step, ordinal);
    try {
      const { supervised, end } = await supervise(steps, id, step, sink);
      return outcomeOf(supervised, { usage: { ...NOT_COUNTED, oomKilled: end.oomKilled }, diskIsFull: false });
    } finally {
      // One that resists does not change how the step ended: `close` tries again and says what is left.
      await steps.engine.remove(id).catch(() => undefined);
    }
  } catch (reason) {
    return { kind: 'fault', refusal: refusal('sandbox_setup_failed', errorInWords(reason)) };
  }
}
