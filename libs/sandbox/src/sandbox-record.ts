import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodeOf } from './error-code.ts';
import { startTicksOf } from './process-table.ts';

/** Everything that must be undone if the warden dies: written before the first of it exists. */
export type SandboxRecord = {
  readonly id: string;
  readonly wardenPid: number;
  readonly wardenStartTicks: number | null;
  /** Directories in which groups of this sandbox may lie. */
  readonly cgroupParents: readonly string[];
  /** Mount points, innermost last. */
  readonly mounts: readonly string[];
  /** Socket of the engine that runs containers for this sandbox, which carry its id as their label; null without one. */
  readonly engineSocket: string | null;
  /** Deleted or emptied at the end, or null when it is to be kept. */
  readonly workspaceToEmpty: string | null;
};

const RECORD_FILE = 'sandbox.json';

/** Names are found again by prefix in cgroups and in the environment of processes, so they must not repeat. */
export const newSandboxId = (): string => randomBytes(8).toString('hex');

/**
 * Makes the directory that holds all the executor keeps for one sandbox, and its record. Not synced to the disk: it must
 * outlive the warden, and what it names does not outlive the host.
 */
export async function openSandboxDir(
  stateDir: string,
  undo: Omit<SandboxRecord, 'wardenPid' | 'wardenStartTicks'>,
): Promise<{ readonly directory: string; readonly record: SandboxRecord }> {
  const directory = join(stateDir, undo.id);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const record: SandboxRecord = { ...undo, wardenPid: process.pid, wardenStartTicks: startTicksOf(process.pid) };
  await writeFile(join(directory, RECORD_FILE), JSON.stringify(record), { mode: 0o600 });
  return { directory, record };
}

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

function isRecord(value: unknown): value is SandboxRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof SandboxRecord, unknown>> = value;
  return (
    typeof record.id === 'string' &&
    typeof record.wardenPid === 'number' &&
    (record.wardenStartTicks === null || typeof record.wardenStartTicks === 'number') &&
    isStrings(record.cgroupParents) &&
    isStrings(record.mounts) &&
    (record.engineSocket === null || typeof record.engineSocket === 'string') &&
    (record.workspaceToEmpty === null || typeof record.workspaceToEmpty === 'string')
  );
}

/** What no directory of a sandbox has, or what is none: nothing says that there is more to it. */
const HAS_NONE: readonly (string | null)[] = ['ENOENT', 'ENOTDIR'];

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (HAS_NONE.includes(errorCodeOf(reason))) return null;
    throw reason;
  }
}

/**
 * The record of a sandbox directory; null when there is none, or a torn one (written by a warden that died writing). Throws where
 * one is that cannot be read, or is not as this version writes them: its sandbox may be a living one.
 */
export async function readSandboxRecord(directory: string): Promise<SandboxRecord | null> {
  const text = await readOrNull(join(directory, RECORD_FILE));
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (isRecord(value)) return value;
  throw new Error('it is not as this version writes them');
}

/** Whether the warden that opened a sandbox still runs, and is not merely another process with its number. */
export const wardenLives = (record: Pick<SandboxRecord, 'wardenPid' | 'wardenStartTicks'>): boolean => {
  const ticks = startTicksOf(record.wardenPid);
  return ticks !== null && ticks === record.wardenStartTicks;
};
