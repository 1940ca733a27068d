// @ts-check

/**
 * @callback Say
 * @param {string} text what is going on, or (the last one) how it ended
 * @returns {void}
 */

/**
 * @typedef {object} Progress
 * @property {<T>(label: string, work: (say: Say) => Promise<T>) => Promise<T>} step runs the work and prints one line:
 *   what it was, how it ended, how long it took
 * @property {(text: string) => void} note prints one line
 */

/** Wide enough for the longest label, so that the details form a column. */
const LABEL_WIDTH = 12;
/** How often a terminal's line is redrawn while a step runs. */
const REDRAW_INTERVAL_MS = 200;

/**
 * Progress on a stream: one finished line per step. A terminal sees the running step live; a log sees a line when a
 * step announces long work, so that nobody wonders whether it hangs.
 *
 * @param {{ stream?: NodeJS.WritableStream & { isTTY?: boolean }, quiet?: boolean, now?: () => number }} [options]
 * @returns {Progress}
 */
export function createProgress({ stream = process.stderr, quiet = false, now = () => performance.now() } = {}) {
  if (quiet) return { step: (_label, work) => work(() => {}), note: () => {} };
  const live = stream.isTTY === true;
  return {
    note: (text) => void stream.write(`  ${text}\n`),
    async step(label, work) {
      const started = now();
      const line = createLine(stream, { label, live, elapsed_ms: () => now() - started });
      try {
        const value = await work(line.say);
        line.end();
        return value;
      } catch (error) {
        line.say('failed');
        line.end();
        throw error;
      }
    },
  };
}

/**
 * @param {NodeJS.WritableStream} stream
 * @param {{ label: string, live: boolean, elapsed_ms: () => number }} step
 */
function createLine(stream, { label, live, elapsed_ms }) {
  let text = '';
  const redraw = () => void stream.write(`\r\u001b[2K${formatStep({ label, text, elapsed_ms: elapsed_ms() })}`);
  const timer = live ? setInterval(redraw, REDRAW_INTERVAL_MS) : null;
  timer?.unref();
  return {
    /** @type {Say} */
    say(next) {
      if (!live && next.endsWith('...')) stream.write(`  ${label.padEnd(LABEL_WIDTH)} ${next}\n`);
      text = next;
      if (live) redraw();
    },
    end() {
      if (timer !== null) clearInterval(timer);
      const line = formatStep({ label, text, elapsed_ms: elapsed_ms() });
      stream.write(live ? `\r\u001b[2K${line}\n` : `${line}\n`);
    },
  };
}

/**
 * One line of progress, for example `  packages     up to date (0.1 s)`.
 *
 * @param {{ label: string, text: string, elapsed_ms: number }} step
 */
export function formatStep({ label, text, elapsed_ms }) {
  return `  ${label.padEnd(LABEL_WIDTH)} ${text} (${(elapsed_ms / 1000).toFixed(1)} s)`;
}
