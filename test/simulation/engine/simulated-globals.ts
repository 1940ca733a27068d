import { actingHost, EPOCH_MS } from './engine.ts';
import type { Appointment } from './agenda.ts';
import { engine, isPresent } from './present.ts';

/**
 * Time and chance of this realm, taken over: whatever the production code asks for, it gets from the seed. The realm is a
 * worker thread that does nothing else.
 */
export function takeOverGlobals(): void {
  takeOverTimers();
  takeOverDate();
  Math.random = () => (isPresent() ? (actingHost()?.random ?? worldRandom()).unit() : 0.5);
  Object.defineProperty(performance, 'now', { value: () => elapsedMs(), configurable: true });
  AbortSignal.timeout = (ms) => timeoutSignal(ms);
  takeOverAborts();
  // Whoever kills its own process kills its host.
  process.kill = () => {
    actingHost()?.die();
    return true;
  };
}

/** What the acting host's clock shows. */
export function shownMs(): number {
  if (!isPresent()) return EPOCH_MS;
  return engine().nowMs + (actingHost()?.clockOffsetMs ?? 0);
}

/** A clock that nobody sets: counts from the host's start. */
function elapsedMs(): number {
  return isPresent() ? engine().nowMs - (actingHost()?.bootedAtMs ?? EPOCH_MS) : 0;
}

const worldRandom = () => engine().random(`world ${engine().steps}`);

class SimulatedTimer {
  appointment: Appointment | null = null;
  /** A frozen host's timer may have fallen due and still be called off when the host thaws. */
  stopped = false;
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  refresh(): this {
    return this;
  }
  close(): void {
    stop(this);
  }
  [Symbol.dispose](): void {
    stop(this);
  }
}

function stop(timer: SimulatedTimer): void {
  timer.stopped = true;
  if (timer.appointment !== null) timer.appointment.run = null;
}

function takeOverTimers(): void {
  const start = (act: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): SimulatedTimer => {
    const timer = new SimulatedTimer();
    timer.appointment = engine().after(ms, actingHost(), 'timer', () => {
      if (!timer.stopped) act(...given);
    });
    return timer;
  };
  const end = (timer: unknown): void => {
    if (timer instanceof SimulatedTimer) stop(timer);
  };
  const soon = (act: (...given: unknown[]) => void, ...given: unknown[]) => start(act, 0, ...given);
  const repeat = (act: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): SimulatedTimer => {
    const timer = new SimulatedTimer();
    const wait = () => {
      timer.appointment = engine().after(ms, actingHost(), 'interval', () => {
        if (timer.stopped) return;
        act(...given);
        wait();
      });
    };
    wait();
    return timer;
  };
  Object.assign(globalThis, {
    setTimeout: start,
    clearTimeout: end,
    setInterval: repeat,
    clearInterval: end,
    setImmediate: soon,
  });
}

function takeOverDate(): void {
  class SimulatedDate extends Date {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [shownMs()] : given) as [number]));
    }
    static override now(): number {
      return shownMs();
    }
  }
  Object.assign(globalThis, { Date: SimulatedDate });
}

/** Aborts without a reason are so frequent that making their reason each time is what a seed would mostly do. */
function takeOverAborts(): void {
  const abort = Object.getOwnPropertyDescriptor(AbortController.prototype, 'abort')?.value as (reason: unknown) => void;
  AbortController.prototype.abort = function abortForOneReason(reason: unknown = ABORTED) {
    abort.call(this, reason);
  };
}

export const ABORTED = new DOMException('This operation was aborted', 'AbortError');
const TIMED_OUT = new DOMException('The operation was aborted due to timeout', 'TimeoutError');

function timeoutSignal(ms: number): AbortSignal {
  const late = new AbortController();
  const abort = () => late.abort(TIMED_OUT);
  engine().after(ms, actingHost(), 'timeout', abort);
  return late.signal;
}
