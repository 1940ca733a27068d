import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheResult } from '@delta-ci/contracts';
import { amount, type Bench, type Measure } from '../measure.ts';
import { wholeMesh } from '../world/whole-mesh.ts';

/** What a project of middling size has in `node_modules`. */
const FILES = 10_000;
const FILE_BYTES = 24 * 1_024;
const MIB = 1_024 ** 2;

export const cacheTransfer: Measure = {
  name: 'cache-transfer',
  what: 'a cache of many files by a runner in the sandbox, saved and restored; raw: the same bytes written to the disk once',
  run: async (bench) => {
    const files = amount(bench, FILES);
    const whole = await wholeMesh(bench.scene);
    const cache = { caches: [{ type: 'deps', key: `many-${files}`, paths: ['made'] }] };
    const transfer = async (): Promise<CacheResult> => {
      const pushed = await whole.push([`[ -d made ] || { ${made(files)}; }`], cache);
      const runId = await pushed.deliver();
      await pushed.settled(runId);
      const [result] = (await whole.run(runId)).jobs[0]?.attempts[0]?.report?.caches ?? [];
      if (result === undefined) throw new Error('the job told nothing of its cache');
      return result;
    };
    bench.say(`${files} files`);
    const { saved } = await transfer();
    const { restored } = await transfer();
    if (saved === undefined || restored === undefined) throw new Error('the cache was not saved, or not restored');
    const raw = { what: 'writing a file', value: await intoFile(bench, saved.contentBytes) };
    const note = `${Math.round(saved.contentBytes / MIB)} MiB, ${Math.round(saved.sizeBytes / MIB)} compressed`;
    const perSecond = ({ contentBytes, tookMs }: typeof saved): number => contentBytes / MIB / (tookMs / 1_000);
    return [
      { name: 'cache-transfer.saved-mib', value: perSecond(saved), unit: '/s', raw, note },
      { name: 'cache-transfer.restored-mib', value: perSecond(restored), unit: '/s', raw, note },
    ];
  },
};

/** Shell: so many files of text that nobody has twice, which compresses as sources do. */
function made(files: number): string {
  const line = createHash('sha256').update('cache-transfer').digest('hex');
  return [
    'mkdir -p made',
    `awk 'BEGIN { for (file = 0; file < ${files}; file++) { d = "made/" int(file / 100); if (file % 100 == 0) system("mkdir -p " d)`,
    `f = d "/" file ".js"; for (n = 0; n < ${FILE_BYTES / 64}; n++) printf "const v%d = [%d, \\"%s\\"];\\n", n, (file * 7919 + n * 104729) % 1000003, substr("${line}", n % 40 + 1, 20) > f; close(f) } }'`,
  ].join('; ');
}

async function intoFile(bench: Bench, bytes: number): Promise<number> {
  const file = await open(join(await bench.scene.directory('raw'), 'file'), 'w');
  try {
    const part = Buffer.alloc(MIB, 'x');
    const startedAt = performance.now();
    for (let written = 0; written < bytes; written += part.byteLength) await file.writeFile(part);
    return bytes / MIB / ((performance.now() - startedAt) / 1_000);
  } finally {
    await file.close();
  }
}
