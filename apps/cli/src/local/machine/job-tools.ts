import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pathOfJobs } from '@delta-ci/sandbox';
import { runnable } from './bubblewrap-path.ts';

/** A toolchain as jobs of a local run find it. */
export interface JobTool {
  /** As `toolchain` of a delta.yaml calls it. */
  readonly name: string;
  /** Of its program. */
  readonly path: string;
  /** Its numbers, such as `24.1.0`; null where it did not say. */
  readonly version: string | null;
}

/** By which program a toolchain is told, and how that is asked. Programs that may fetch something first are not among them. */
const ASKED: readonly { readonly name: string; readonly program: string; readonly argument: string }[] = [
  { name: 'node', program: 'node', argument: '--version' },
  { name: 'python', program: 'python3', argument: '--version' },
  { name: 'go', program: 'go', argument: 'version' },
  { name: 'rust', program: 'cargo', argument: '--version' },
  { name: 'java', program: 'java', argument: '-version' },
  { name: 'ruby', program: 'ruby', argument: '--version' },
  { name: 'php', program: 'php', argument: '--version' },
  { name: 'dotnet', program: 'dotnet', argument: '--version' },
  { name: 'cmake', program: 'cmake', argument: '--version' },
];

/** Toolchains that can be told of, whether they are there or not. */
export const KNOWN_TOOLS: readonly string[] = ASKED.map(({ name }) => name);

/**
 * Which of the known toolchains jobs find when they see these and the system, by asking each for its version. They are asked from
 * the root and without a home, so that no file of a repository or a person answers for them. Never rejects.
 * @param answerMs for which each is waited
 */
export async function toolsOfJobs(toolchainDirs: readonly string[], answerMs = ANSWER_MS): Promise<JobTool[]> {
  const PATH = pathOfJobs(toolchainDirs);
  const found = await Promise.all(
    ASKED.map(async ({ name, program, argument }): Promise<JobTool[]> => {
      for (const directory of PATH.split(':')) {
        const path = join(directory, program);
        if (await runnable(path)) return [{ name, path, version: await versionOf(path, argument, PATH, answerMs) }];
      }
      return [];
    }),
  );
  return found.flat();
}

/** A few words for each folder with some of them: `node 24.1.0 in /usr/bin`. */
export function toolsText(tools: readonly JobTool[]): string {
  if (tools.length === 0) return `none of ${KNOWN_TOOLS.join(', ')}`;
  const folders = Map.groupBy(tools, ({ path }) => dirname(path));
  return [...folders]
    .map(([folder, there]) => {
      const named = there.map(({ name, version }) => `${name} ${version ?? '(which does not say its version)'}`);
      return `${named.join(', ')} in ${folder}`;
    })
    .join('; ');
}

const exec = promisify(execFile);

/** They answer in milliseconds. */
const ANSWER_MS = 5_000;

/** Java says it on standard error. */
async function versionOf(path: string, argument: string, PATH: string, answerMs: number): Promise<string | null> {
  const options = {
    cwd: '/',
    env: { PATH, HOME: '/nonexistent' },
    timeout: answerMs,
    // One that hangs may well be deaf to all others.
    killSignal: 'SIGKILL',
  } as const;
  const said = await exec(path, [argument], options).catch(() => null);
  return /\d+(?:\.\d+)*/u.exec(`${said?.stdout ?? ''}\n${said?.stderr ?? ''}`)?.[0] ?? null;
}
