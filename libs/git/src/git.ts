import { parse } from 'node:path';
import { done, failed, type GitResult } from './git-error.ts';
import { runProcess, type ProcessEnd, type ProcessInput, type TakeChunk } from './git-process.ts';
import { hygienicEnvironment, type ConfigSetting, type Environment, type Protocol } from './hygiene.ts';
import { nameFailure } from './failure-naming.ts';
import { maskCredentials, mostTellingLine, safeLines } from './text-for-people.ts';
import type { ProcessSpec } from './process-group.ts';

/** Local commands on a large repository take seconds; a minute means something is stuck. */
const DEFAULT_TIME_LIMIT_MS = 60_000;

/** Whole outputs are held in memory; larger ones are read as streams with a limit of their own. */
const DEFAULT_MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Streams are not held in memory: the limit only ends what would never end. */
const DEFAULT_MAX_STREAM_BYTES = 8 * 1024 * 1024 * 1024;

const STDERR_FOR_PEOPLE_CHARACTERS = 4_000;

/** `GIT_CONFIG_GLOBAL`, without which a user's own configuration cannot be kept out, came with 2.32. */
export const MINIMUM_GIT_VERSION = '2.32';

/**
 * One git command. `flags` are ours, always literals; `operands` are anything else and are placed behind
 * `--end-of-options`, where git cannot take them for an option.
 */
export interface GitCommand {
  readonly command: string;
  readonly flags?: readonly string[];
  readonly operands?: readonly string[];
}

/** Where and how to run a command. */
export interface GitContext {
  /** The repository; given explicitly, so git neither searches for one nor trusts what it would find. */
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** Working directory; the file system's root by default. */
  readonly directory?: string;
  readonly protocols?: readonly Protocol[];
  readonly config?: readonly ConfigSetting[];
  /** `users` reads the user's configuration instead of ours; see the hygiene environment for when that is allowed. */
  readonly configuration?: 'ours' | 'users';
  readonly timeLimitMs?: number;
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal | undefined;
  readonly input?: ProcessInput;
  /** Exit codes that are answers rather than failures; 0 alone by default. */
  readonly answers?: readonly number[];
  /** Texts that must not appear in any message. */
  readonly secrets?: readonly string[];
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
}

export interface GitOptions {
  /** The program to run. Default: `git`, found on PATH. */
  readonly program?: string;
  /** Environment to take PATH, certificates and proxies from; the rest of it does not reach git. */
  readonly environment: Environment;
}

/** Runs git and nothing else. Every command of this room goes through here. */
export class Git {
  private readonly program: string;
  readonly environment: Environment;

  constructor(options: GitOptions) {
    this.program = options.program ?? 'git';
    this.environment = options.environment;
  }

  /** Runs a command and returns all it wrote. Fails with `output_too_large` beyond `maxOutputBytes` (64 MiB). */
  async run(command: GitCommand, context: GitContext = {}): Promise<GitResult<GitAnswer>> {
    const chunks: Buffer[] = [];
    const limited = { maxOutputBytes: DEFAULT_MAX_OUTPUT_BYTES, ...context };
    const ended = await this.stream(command, limited, (chunk) => {
      chunks.push(chunk);
    });
    return ended.ok ? done({ exitCode: ended.value, stdout: Buffer.concat(chunks) }) : ended;
  }

  /** Runs a command whose output is one line of text, and returns that line. */
  async line(command: GitCommand, context: GitContext = {}): Promise<GitResult<string>> {
    const answer = await this.run(command, context);
    return answer.ok ? done(answer.value.stdout.toString('utf8').replace(/\n$/u, '')) : answer;
  }

  /** Runs a command and hands on its output piece by piece. The value is its exit code. */
  async stream(command: GitCommand, context: GitContext, take: TakeChunk): Promise<GitResult<number>> {
    const limits = {
      timeLimitMs: context.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS,
      maxOutputBytes: context.maxOutputBytes ?? DEFAULT_MAX_STREAM_BYTES,
      signal: context.signal,
    };
    const end = await runProcess(this.spec(command, context), limits, take, context.input);
    return explainEnd(command, context, limits, end);
  }

  /** What is started for a command: for processes that live longer than one question. */
  spec(command: GitCommand, context: GitContext): ProcessSpec {
    const operands = command.operands === undefined ? [] : ['--end-of-options', ...command.operands];
    return {
      program: this.program,
      args: [command.command, ...(command.flags ?? []), ...operands],
      directory: context.directory ?? parse(process.cwd()).root,
      environment: hygienicEnvironment({
        inherited: this.environment,
        protocols: context.protocols ?? [],
        config: context.config ?? [],
        configuration: context.configuration ?? 'ours',
        ...(context.gitDir === undefined ? {} : { gitDir: context.gitDir }),
        ...(context.workTree === undefined ? {} : { workTree: context.workTree }),
        ...(context.indexFile === undefined ? {} : { indexFile: context.indexFile }),
      }),
    };
  }

  /** The installed version as `[major, minor]`; `git_too_old` when it is below `minimum`. */
  async version(minimum: string = MINIMUM_GIT_VERSION): Promise<GitResult<readonly [number, number]>> {
    const answer = await this.line({ command: 'version' });
    if (!answer.ok) return answer;
    const found = /^git version (\d+)\.(\d+)/u.exec(answer.value);
    if (found === null) return failed('unexpected_output', `git says its version is "${answer.value.slice(0, 80)}"`);
    const [major, minor] = [Number(found[1]), Number(found[2])];
    const [wantedMajor = 0, wantedMinor = 0] = minimum.split('.').map(Number);
    if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
      return failed('git_too_old', `git ${minimum} or newer is needed, found ${major}.${minor}; please update git`);
    }
    return done([major, minor]);
  }
}

function explainEnd(
  command: GitCommand,
  context: GitContext,
  limits: { timeLimitMs: number; maxOutputBytes: number },
  end: ProcessEnd,
): GitResult<number> {
  const name = `git ${command.command}`;
  if (end.kind === 'not_started') {
    if (end.missing)
      return failed('git_not_found', `git could not be started: is it installed, and on PATH? (${end.reason})`);
    return failed('git_failed', `${name} could not be started: ${end.reason}`);
  }
  const stderr = safeLines(maskCredentials(end.stderr, context.secrets), STDERR_FOR_PEOPLE_CHARACTERS);
  switch (end.kind) {
    case 'timed_out':
      return failed('git_timed_out', `${name} did not finish within ${limits.timeLimitMs} ms`, stderr);
    case 'canceled':
      return failed('git_canceled', `${name} was canceled`, stderr);
    case 'output_too_large':
      return failed('output_too_large', `${name} wrote more than ${limits.maxOutputBytes} bytes`, stderr);
    case 'exited': {
      const answers = context.answers ?? [0];
      if (answers.includes(end.exitCode)) return done(end.exitCode);
      const cause = mostTellingLine(stderr);
      return failed(
        nameFailure(end.stderr),
        `${name} failed: ${cause === '' ? `exit code ${end.exitCode}` : cause}`,
        stderr,
      );
    }
  }
}
