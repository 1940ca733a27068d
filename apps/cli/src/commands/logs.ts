import { gatewayFor } from '../api/gateway.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { LineSplitter } from '../screen/line-splitter.ts';
import { paintOutcome } from '../screen/paint.ts';
import { safeJson, safeLogLine } from '../screen/safe-text.ts';
import type { Surroundings } from '../surroundings.ts';
import type { ApiOptions } from './runs.ts';

export interface LogOptions extends ApiOptions {
  readonly follow?: boolean;
  readonly attempt?: number;
  /** As the job wrote it, escape sequences included. */
  readonly raw?: boolean;
}

/** `delta logs`: what a job printed; with `--follow` until it ends. */
export async function logs(
  surroundings: Surroundings,
  run: string,
  job: string,
  options: LogOptions,
): Promise<ExitCode> {
  const gateway = await gatewayFor(surroundings, options);
  const sink = sinkFor(surroundings, options);
  if (options.follow !== true) {
    for await (const chunk of gateway.log(run, job, options.attempt)) sink.write(chunk);
    sink.end();
    return EXIT.succeeded;
  }
  const encoder = new TextEncoder();
  for await (const event of gateway.followLog(run, job, options.attempt)) {
    if ('text' in event) {
      sink.write(encoder.encode(event.text));
      continue;
    }
    sink.end();
    const outcome = event.outcome ?? 'unknown';
    if (options.json === true) surroundings.out(`${safeJson({ type: 'end', ...event })}\n`);
    else surroundings.err(`attempt ${event.attempt}: ${paintOutcome(surroundings.paint, outcome)}\n`);
    return outcome === 'succeeded' ? EXIT.succeeded : EXIT.failed;
  }
  return EXIT.canceled;
}

interface Sink {
  write(chunk: Uint8Array): void;
  end(): void;
}

function sinkFor({ out }: Surroundings, { raw, json }: LogOptions): Sink {
  if (json === true) return new LineSplitter((text) => out(`${safeJson({ type: 'output', text })}\n`));
  if (raw !== true) return new LineSplitter((line) => out(`${safeLogLine(line)}\n`));
  const decoder = new TextDecoder();
  return { write: (chunk) => out(decoder.decode(chunk, { stream: true })), end: () => out(decoder.decode()) };
}
