import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import type { LogSink } from './log-files.ts';

/** A service that has run this long without a crash starts over with its restart delays. */
const STABLE_AFTER_MS = 60_000;
/** After SIGTERM a service finishes or hands back its work within its own grace of 20 s: one that takes longer hangs. */
const STOP_GRACE_MS = 25_000;
/** Connecting, migrating and warming up take well under this even on a loaded machine. */
const READY_LIMIT_MS = 60_000;

/** What was printed before the end arrives at once, unless a child of the service holds its output open. */
const LAST_WORDS_MS = 1_000;

/**
 * How Node runs a service. Stacks are told in our sources' lines; the maps of packages, which `--enable-source-maps` would
 * read too, are 30 MB that nobody looks at. A young generation of 4 MB instead of 16: what starting throws away would stay
 * resident for ever in a service that then has nothing to do.
 */
export const NODE_FLAGS = [
  '--import=data:text/javascript,import{setSourceMapsSupport}from"node:module";setSourceMapsSupport(true)',
  '--max-semi-space-size=4',
];

/** A service that does not come up; `message` has its last words, for people. */
export class ServiceFailed extends Error {
  constructor(name: string, what: string, sink: LogSink) {
    super(`${name} ${what}. Its last words, of ${sink.path}:\n${sink.tail().map(wordsOf).join('\n')}`);
  }
}

/** What a line of a log says: of one in JSON its event and its error, without the stack. */
function wordsOf(line: string): string {
  try {
    const { event, msg, err } = JSON.parse(line) as Record<string, unknown>;
    const message = (err as { message?: unknown } | undefined)?.message ?? msg;
    return `  ${[event, message].filter((word) => typeof word === 'string').join(': ')}`;
  } catch {
    return `  ${line}`;
  }
}

export interface ServiceSpec {
  name: string;
  entry: string;
  args: readonly string[];
  /** Read at every start. */
  env: Record<string, string>;
  /** A command that runs the service as its last words: in a network namespace, say. */
  under?: readonly string[];
}

/** What a service tells its supervisor over IPC when it takes work. */
interface ReadyMessage {
  ready: true;
  port: number | null;
}

export type ServiceState = 'starting' | 'ready' | 'waiting' | 'stopped';

/**
 * One service as a child process: started, watched, restarted with back-off when it ends by itself, stopped for good
 * by `stop`. Its output goes line by line to the log sink.
 */
export class ServiceProcess {
  readonly spec: ServiceSpec;
  readonly #sink: LogSink;
  readonly #onState: (service: ServiceProcess) => void;
  #child: ChildProcess | null = null;
  #state: ServiceState = 'stopped';
  #port: number | null = null;
  #crashes = 0;
  #stopping = new AbortController();
  #life: Promise<void> = Promise.resolve();
  #readyWaiters: { resolve: (port: number | null) => void; reject: (error: Error) => void }[] = [];

  constructor(spec: ServiceSpec, sink: LogSink, onState: (service: ServiceProcess) => void = () => undefined) {
    this.spec = spec;
    this.#sink = sink;
    this.#onState = onState;
  }

  get state(): ServiceState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get port(): number | null {
    return this.#port;
  }

  /** How often it ended by itself since it was last stable. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Starts it and waits until it takes work. @throws ServiceFailed when it ends first; it is started again all the same. */
  async start(): Promise<number | null> {
    this.#stopping = new AbortController();
    this.#crashes = 0;
    const ready = this.ready();
    this.#life = this.#live();
    return ready;
  }

  /** The port it listens on, once it is ready (again). @throws ServiceFailed when it is not within a minute. */
  async ready(): Promise<number | null> {
    if (this.#state === 'ready') return this.#port;
    const patience = new AbortController();
    const late = pause(READY_LIMIT_MS, undefined, { ref: false, signal: patience.signal }).then(() => {
      throw new ServiceFailed(this.spec.name, `was not ready after ${READY_LIMIT_MS / 1_000} s`, this.#sink);
    });
    const ready = new Promise<number | null>((resolve, reject) => this.#readyWaiters.push({ resolve, reject }));
    try {
      return await Promise.race([ready, late]);
    } finally {
      patience.abort();
      late.catch(() => undefined);
    }
  }

  /** Ends the process as a crash would; the supervisor brings it back. Resolves when it is gone. */
  async crash(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === null || hasEnded(child)) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Ends it for good: SIGTERM, time to finish its work, then SIGKILL. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child !== null && !hasEnded(child)) await endChild(child);
    await this.#life;
    this.#become('stopped');
  }

  async #live(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now();
      const ended = await this.#runOnce();
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - startedAt > STABLE_AFTER_MS) this.#crashes = 0;
      this.#crashes += 1;
      this.#refuseWaiters(new ServiceFailed(this.spec.name, `ended (${ended})`, this.#sink));
      const delay_ms = backoffMs(this.#crashes);
      this.#sink.write(`supervisor: ${this.spec.name} ended (${ended}); starting again in ${delay_ms} ms`);
      this.#become('waiting');
      await pause(delay_ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  async #runOnce(): Promise<string> {
    this.#become('starting');
    const { under = [], entry, args } = this.spec;
    const [command = process.execPath, ...words] = [...under, process.execPath, ...NODE_FLAGS, entry, ...args];
    const child = spawn(command, words, {
      env: this.spec.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in our terminal reaches us alone, and we stop things in order.
      detached: true,
    });
    this.#child = child;
    const exited = new Promise<string>((resolve) => {
      // Also told when a signal or message could not be sent: only a process that never began has ended by that.
      child.on('error', (error) => {
        if (child.pid === undefined) resolve(error.message);
      });
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    const lastWords = this.#collect(child);
    child.on('message', (message) => this.#hear(message));
    const ended = await exited;
    await Promise.race([lastWords, pause(LAST_WORDS_MS, undefined, { ref: false })]);
    this.#port = null;
    return ended;
  }

  /** Resolves when all that the process printed was heard. */
  async #collect(child: ChildProcess): Promise<void> {
    const heard = [child.stdout, child.stderr].map(async (stream) => {
      if (stream === null) return;
      const lines = createInterface({ input: stream });
      lines.on('line', (line) => this.#sink.write(line));
      await once(lines, 'close');
    });
    await Promise.all(heard);
  }

  #hear(message: unknown): void {
    if (!isReadyMessage(message)) return;
    this.#port = message.port;
    this.#become('ready');
    for (const waiter of this.#readyWaiters.splice(0)) waiter.resolve(message.port);
  }

  #refuseWaiters(error: Error): void {
    // A first start that fails is told at once; later the supervisor's own restarts are what one waits for.
    if (this.#crashes > 1) return;
    for (const waiter of this.#readyWaiters.splice(0)) waiter.reject(error);
  }

  #become(state: ServiceState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#onState(this);
  }
}

function isReadyMessage(message: unknown): message is ReadyMessage {
  return typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function endChild(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = pause(STOP_GRACE_MS, 'late', { signal: patience.signal }).catch(() => 'ended');
  if ((await Promise.race([gone, late])) === 'late') child.kill('SIGKILL');
  patience.abort();
  await gone;
}
