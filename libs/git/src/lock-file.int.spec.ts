import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { takeLock } from './lock-file.ts';
import { errorOf, TemporaryPlaces, valueOf } from './made-repository.fixture.ts';

const places = new TemporaryPlaces();
const running: ChildProcessWithoutNullStreams[] = [];

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await places.removeAll();
});

/** A process of its own that runs a few lines with `takeLock` at hand. */
function otherProcess(script: string, ...args: string[]): ChildProcessWithoutNullStreams {
  const source = `import { takeLock } from ${JSON.stringify(join(import.meta.dirname, 'lock-file.ts'))};
    import { readFileSync, writeFileSync } from 'node:fs';
    const [path, file] = process.argv.slice(1);
    ${script}`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', source, ...args];
  const child = spawn(process.execPath, flags, { env: { PATH: process.env['PATH'] ?? '' } });
  running.push(child);
  return child;
}

describe('a lock among processes', () => {
  it('given four processes that count in one file, when each takes the lock, then no count is lost', async () => {
    const path = join(await places.directory(), 'the.lock');
    const counter = `${path}.counter`;
    await writeFile(counter, '0');
    const count = `for (let n = 0; n < 10; n += 1) {
      const lock = await takeLock(path, { waitMs: 30_000 });
      if (!lock.ok) process.exit(3);
      writeFileSync(file, String(Number(readFileSync(file, 'utf8')) + 1));
      await lock.value();
    }`;
    const children = Array.from({ length: 4 }, () => otherProcess(count, path, counter));
    await Promise.all(children.map((child) => once(child, 'close')));
    expect(children.map((child) => child.exitCode)).toEqual([0, 0, 0, 0]);
    expect(await readFile(counter, 'utf8')).toBe('40');
    expect(await readdir(dirname(path))).toEqual(['the.lock.counter']);
  });

  it('given a holder that lives, when others wait, then they do not get it; given one that was killed, then one does', async () => {
    const path = join(await places.directory(), 'the.lock');
    const holder = otherProcess(
      `const lock = await takeLock(path, { waitMs: 0 }); console.log(lock.ok); setInterval(() => undefined, 1_000);`,
      path,
    );
    const [said] = await once(holder.stdout, 'data');
    expect(String(said)).toBe('true\n');
    expect(errorOf(await takeLock(path, { waitMs: 0 }))).toBe('lock_timed_out');
    holder.kill('SIGKILL');
    await once(holder, 'close');
    const release = valueOf(await takeLock(path, { waitMs: 10_000 }));
    expect(errorOf(await takeLock(path, { waitMs: 0 }))).toBe('lock_timed_out');
    await release();
    expect(existsSync(path)).toBe(false);
  });

  it('given a lock that cannot be read, or one of a former life with our process id, when taken, then it is replaced', async () => {
    const path = join(await places.directory(), 'the.lock');
    await writeFile(path, 'torn');
    await valueOf(await takeLock(path, { waitMs: 5_000 }))();
    await writeFile(path, `${hostname()} ${process.pid} 00000000-0000-4000-8000-000000000000\n`);
    await valueOf(await takeLock(path, { waitMs: 5_000 }))();
    expect(existsSync(path)).toBe(false);
  });

  it('given a holder on another machine, when it is young, then it counts', async () => {
    const path = join(await places.directory(), 'the.lock');
    await writeFile(path, 'elsewhere 1 00000000-0000-4000-8000-000000000000\n');
    expect(errorOf(await takeLock(path, { waitMs: 0 }))).toBe('lock_timed_out');
  });
});
