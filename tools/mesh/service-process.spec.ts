import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { backoffMs } from './backoff.ts';
import { LogSink } from './log-files.ts';
import { ServiceProcess } from './service-process.ts';

let directory: string;
let sink: LogSink;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'delta-mesh-'));
  sink = new LogSink(directory, 'toy');
});
afterEach(async () => {
  await sink.close();
  await rm(directory, { recursive: true, force: true });
});

const LIVES = `
process.on('SIGTERM', () => { console.log('finishing'); process.exit(0); });
console.log('hello from ' + process.pid);
process.send({ ready: true, port: 4321 });
setInterval(() => {}, 1000);
`;

async function toy(source: string): Promise<ServiceProcess> {
  const entry = join(directory, 'toy.mjs');
  await writeFile(entry, source);
  return new ServiceProcess({ name: 'toy', entry, args: [], env: {} }, sink);
}

describe('a supervised service', () => {
  it('given one that gets ready, when started and stopped, then it is heard, and finishes', async () => {
    const service = await toy(LIVES);
    expect(await service.start()).toBe(4321);
    expect(service.state).toBe('ready');
    await service.stop();
    expect(service.state).toBe('stopped');
    await sink.close();
    expect(await readFile(sink.path, 'utf8')).toMatch(/hello from \d+\nfinishing\n/);
  });

  it('given one that is killed, when waited for, then another process took its place', async () => {
    const service = await toy(LIVES);
    await service.start();
    const first = service.pid;
    await service.crash();
    expect(await service.ready()).toBe(4321);
    expect(service.pid).not.toBe(first);
    expect(service.crashes).toBe(1);
    await service.stop();
  });

  it('given one that cannot start, when started, then its last words are the reason', async () => {
    const service = await toy(`console.error('no database'); process.exit(78);`);
    await expect(service.start()).rejects.toThrow(/toy ended \(exit code 78\)[\s\S]*no database/);
    await service.stop();
  });

  it('given one that says why in JSON, when started, then the reason is told without its stack', async () => {
    const line = {
      level: 'fatal',
      event: 'start-failed',
      err: { message: 'the port is taken', stack: 'at somewhere' },
    };
    const service = await toy(`console.log(${JSON.stringify(JSON.stringify(line))}); process.exit(1);`);
    await expect(service.start()).rejects.toThrow(/toy ended \(exit code 1\).*\n {2}start-failed: the port is taken$/);
    await service.stop();
  });

  it('restarts come at once at first and never slower than every ten seconds', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 50].map(backoffMs)).toEqual([
      0, 250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
  });
});
