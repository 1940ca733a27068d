import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

/** Time between the polite signal, on which git removes its temporary files, and the one that cannot be ignored. */
const KILL_GRACE_MS = 2_000;

export interface ProcessSpec {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** Starts a program as the leader of a process group of its own, so that whatever it starts can be ended with it. */
export function startInGroup(spec: ProcessSpec): ChildProcessWithoutNullStreams {
  return spawn(spec.program, spec.args, {
    env: spec.environment,
    cwd: spec.directory,
    detached: true,
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
}

function signalGroup(child: ChildProcessWithoutNullStreams, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

/** Ends the group: politely, then for good. Its pipes are closed, so a process that escaped the group cannot hold us. */
export function endGroup(child: ChildProcessWithoutNullStreams): void {
  signalGroup(child, 'SIGTERM');
  const last = setTimeout(() => {
    signalGroup(child, 'SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
  }, KILL_GRACE_MS);
  child.once('close', () => clearTimeout(last));
}

/** Keeps the beginning and the end of a stream of text: where git puts the cause and the summary. */
export class TextTail {
  private readonly limitBytes: number;
  private head = Buffer.alloc(0);
  private tail = Buffer.alloc(0);

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  add(chunk: Buffer): void {
    const half = this.limitBytes / 2;
    const room = Math.max(0, half - this.head.length);
    this.head = Buffer.concat([this.head, chunk.subarray(0, room)]);
    this.tail = Buffer.concat([this.tail, chunk.subarray(room)]).subarray(-half);
  }

  text(): string {
    return Buffer.concat([this.head, this.tail]).toString('utf8');
  }
}
