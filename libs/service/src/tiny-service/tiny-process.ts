import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 20_000;

export const FAKE_TOKEN = 'fake-token-fake-token';

export type LogLine = Record<string, unknown>;

/** The tiny service as a child process, with everything it said so far. */
export class TinyProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  stdout = '';
  stderr = '';

  constructor(env: Record<string, string> = {}) {
    const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
    this.child = spawn(
      process.execPath,
      ['--import', here('../../../../test/support/load-typescript.mjs'), here('./main.ts')],
      {
        env: { PATH: process.env['PATH'], DELTA_API_TOKEN: FAKE_TOKEN, ...env },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      },
    );
    const read = [
      readTo(this.child.stdout, (chunk) => (this.stdout += chunk)),
      readTo(this.child.stderr, (chunk) => (this.stderr += chunk)),
    ];
    this.exited = this.#end(read);
  }

  /** Not the "close" event, which never comes after `disconnect()`; and "exit" alone comes before the last output. */
  async #end(read: Promise<void>[]): Promise<{ code: number | null; signal: string | null }> {
    const [code, signal] = (await once(this.child, 'exit')) as [number | null, string | null];
    await Promise.all(read);
    return { code, signal };
  }

  /** The log so far; fails when a line is not JSON. */
  lines(): LogLine[] {
    const complete = this.stdout.slice(0, this.stdout.lastIndexOf('\n') + 1);
    return complete
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  }

  events(name: string): LogLine[] {
    return this.lines().filter(({ event }) => event === name);
  }

  /** Waits for the ready announcement and answers the base URL. */
  async ready(): Promise<string> {
    await waitUntil('the service is ready', () => this.events('ready').length > 0 || this.child.exitCode !== null);
    const port = this.events('ready')[0]?.['port'];
    if (typeof port !== 'number') throw new Error(`the service did not get ready:\n${this.stdout}\n${this.stderr}`);
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
    await this.exited;
  }
}

async function readTo(stream: Readable | null, take: (chunk: string) => void): Promise<void> {
  if (stream === null) return;
  for await (const chunk of stream) take(String(chunk));
}

/** Polls a condition until it holds; fails with the name of what did not come about. */
export async function waitUntil(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`waited in vain: ${what}`);
    await sleep(20);
  }
}
