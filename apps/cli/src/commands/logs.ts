import { gatewayFor, type Gateway, type LogPart } from '../api/gateway.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { LineSplitter } from '../screen/line-splitter.ts';
import { colouredLogLine } from '../screen/log-colours.ts';
import { paintOutcome } from '../screen/paint.ts';
import { safeJson, safeLine, safeLogLine } from '../screen/safe-text.ts';
import type { Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface LogOptions extends ApiOptions {
  readonly follow?: boolean;
  readonly attempt?: number | undefined;
  /** `100-200`, `100-` or `100`. */
  readonly lines?: string | undefined;
  /** So many lines before the end. */
  readonly tail?: number | undefined;
  /** As the job wrote it, escape sequences included. */
  readonly raw?: boolean;
}

/**
 * `delta logs`: what a job printed, or some lines of it; with `--follow` until it ends.
 * @param place a job's key, or lines of its log as a run's view names them: `test-cart#L120-L130`
 */
export async function logs(
  surroundings: Surroundings,
  run: string,
  place: string,
  options: LogOptions,
): Promise<ExitCode> {
  const { job, part } = partAt(place, options);
  const gateway = await gatewayFor(surroundings, options);
  if (options.follow === true) return follow(surroundings, gateway, run, job, { ...options, ...part });
  const { firstLine, bytes } = await gateway.log(run, job, part);
  const sink = sinkFor(surroundings, options, firstLine);
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    sink.write(chunk);
  }
  sink.end();
  // Of some lines there may be none although others are there.
  if (size === 0 && part.lines === undefined && part.tail === undefined)
    surroundings.err(`${safeLine(await whyEmpty(gateway, run, job, part.attempt))}\n`);
  return EXIT.succeeded;
}

/** What there is to say of an attempt without a line of log: that it never began, and why, or how it stands. */
async function whyEmpty(gateway: Gateway, run: string, job: string, number: number | undefined): Promise<string> {
  const { jobs } = await gateway.run(run);
  const attempts = jobs.find(({ key }) => key === job)?.attempts ?? [];
  const attempt = number === undefined ? attempts.at(-1) : attempts.find((one) => one.attempt === number);
  if (attempt === undefined) return `${job} has no log: no attempt of it has begun`;
  const { state, reason, report } = attempt;
  const error = report?.infrastructureError ?? null;
  const of = `attempt ${attempt.attempt} of ${job}`;
  if (error !== null) return `${of} has no log, because nothing of it ran: ${error.message}`;
  return state === 'finished' ? `${of} has printed nothing: ${reason}` : `${of} has printed nothing so far (${state})`;
}

async function follow(
  surroundings: Surroundings,
  gateway: Gateway,
  run: string,
  job: string,
  options: LogOptions,
): Promise<ExitCode> {
  if (options.lines !== undefined) {
    throw new Problem('invalid_usage', 'lines by their numbers are not followed', { next: 'use --tail with --follow' });
  }
  const encoder = new TextEncoder();
  let sink: Sink | null = null;
  for await (const event of gateway.followLog(run, job, options)) {
    if ('text' in event) {
      sink ??= sinkFor(surroundings, options, event.line);
      sink.write(encoder.encode(event.text));
      continue;
    }
    sink?.end();
    const outcome = event.outcome ?? 'unknown';
    if (options.json === true) surroundings.out(`${safeJson({ type: 'end', ...event })}\n`);
    else surroundings.err(`attempt ${event.attempt}: ${paintOutcome(surroundings.paint, outcome)}\n`);
    return outcome === 'succeeded' ? EXIT.succeeded : EXIT.failed;
  }
  return EXIT.canceled;
}

function partAt(place: string, { attempt, lines, tail }: LogOptions): { job: string; part: LogPart } {
  const [, job = place, first, last] = /^([^#]*)#L(\d+)(?:-L?(\d+))?$/u.exec(place) ?? [];
  if (first === undefined) return { job, part: { attempt, lines, tail } };
  if (lines !== undefined || tail !== undefined) {
    throw new Problem('invalid_usage', `${place} says which lines, and so do the options`, { next: 'use one of them' });
  }
  return { job, part: { attempt, lines: last === undefined ? first : `${first}-${last}` } };
}

interface Sink {
  write(chunk: Uint8Array): void;
  end(): void;
}

/** What is read by programs is as the job wrote it; on a terminal, what is more than colours is not obeyed. */
function sinkFor({ out, columns, paint }: Surroundings, { raw, json }: LogOptions, firstLine: number): Sink {
  if (json === true) {
    let line = firstLine;
    return new LineSplitter((text, isEnded) => {
      out(`${safeJson({ type: 'output', line, text })}\n`);
      if (isEnded) line += 1;
    });
  }
  if (raw === true || columns === null) return { write: out, end: () => undefined };
  const shown = paint.isColorSupported ? colouredLogLine : safeLogLine;
  return new LineSplitter((line) => out(`${shown(line)}\n`));
}
