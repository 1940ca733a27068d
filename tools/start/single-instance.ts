import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The mesh that runs from a state directory. */
export interface RunningMesh {
  pid: number;
  gatewayUrl: string;
}

/** The mesh that runs there now; null when none does. A file left by one that crashed is as good as none. */
export function findRunningMesh(stateDir: string): RunningMesh | null {
  try {
    const { pid, gatewayUrl } = JSON.parse(readFileSync(fileIn(stateDir), 'utf8')) as RunningMesh;
    return lives(pid) ? { pid, gatewayUrl } : null;
  } catch {
    return null;
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process, which we may not signal, runs all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Says that this process's mesh runs there. @returns takes that back */
export function announceRunningMesh(stateDir: string, gatewayUrl: string): () => void {
  const file = fileIn(stateDir);
  writeFileSync(file, JSON.stringify({ pid: process.pid, gatewayUrl }));
  return () => rmSync(file, { force: true });
}

const fileIn = (stateDir: string): string => join(stateDir, 'mesh.json');
