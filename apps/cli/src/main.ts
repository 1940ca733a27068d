import { delta } from './program.ts';
import { personsTerminal } from './screen/persons-terminal.ts';
import { paintFor } from './screen/paint.ts';

const interruption = new AbortController();
const interrupt = (signal?: NodeJS.Signals): void => interruption.abort(signal ?? 'SIGINT');
process.once('SIGINT', interrupt);
// Whoever ends the whole process group reaches this process twice, the other time by way of the one that started it: no reason to skip cleaning up.
process.on('SIGTERM', interrupt);
process.on('SIGHUP', interrupt);
// Whoever started this process is gone without a word, and would have passed on what ends it.
process.on('disconnect', () => interrupt('SIGHUP'));
process.channel?.unref();
// Whoever reads our output may have seen enough (`delta logs ... | head`), or the terminal is gone.
const NOBODY_READS = ['EPIPE', 'EIO'];
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!NOBODY_READS.includes(error.code ?? '')) throw error;
    interrupt();
  });
}

const isTerminal = process.stdout.isTTY;
process.exitCode = await delta(process.argv.slice(2), {
  environment: process.env,
  directory: process.cwd(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  paint: paintFor(isTerminal, process.env),
  columns: isTerminal ? process.stdout.columns : null,
  interrupted: interruption.signal,
  nowMs: Date.now,
  terminal: process.stdin.isTTY && isTerminal ? personsTerminal(process.stdin, process.stdout, process.env) : null,
});
