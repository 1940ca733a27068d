import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobImages } from '../images/job-images.ts';
import { MINIMUM_LAYERS } from '../layer-minimum.ts';
import { DEFAULT_SANDBOX_LIMITS } from '../limits.ts';
import type { JobRoot, SandboxExecutor, SandboxSpec, StepResult, StepSpec } from '../sandbox-executor.ts';
import { describeHostileBattery } from '../testing/hostile-battery.fixture.ts';
import { archiveOf, HOSTILE_PROGRAMS, imageOf, programsLayer, writeLayout } from '../testing/made-image.fixture.ts';
import {
  collectOutput,
  finished,
  probeOnce,
  script,
  specFor,
  step,
  withDirectories,
  withSandbox,
} from '../testing/open-sandbox.fixture.ts';
import { describeProcessContract } from '../testing/process-contract.fixture.ts';
import { whereItRuns } from '../testing/where-it-runs.fixture.ts';
import { WithRoot } from '../testing/with-root.fixture.ts';
import { BubblewrapExecutor } from './bubblewrap-executor.ts';

const makePlain = (stateDir: string): BubblewrapExecutor =>
  new BubblewrapExecutor({
    stateDir,
    killGraceMs: 1_000,
    bwrap: process.env['DELTA_BWRAP'] ?? 'bwrap',
    programDirs: (process.env['PATH'] ?? '').split(':'),
  });

const isRoot = process.getuid?.() === 0;
const MARK = 'of the image';

let place = '';
let root: JobRoot;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'delta-root-'));
  // Names as an image has them that would take over whoever becomes the job's user, were they looked at.
  const traps = await archiveOf([
    { name: 'etc/mark', content: MARK },
    { name: 'etc/ld.so.preload', content: '/lib/trap.so\n' },
    { name: 'usr/bin/setpriv', mode: 0o755, content: '#!/bin/sh\necho trapped\n' },
    { name: 'opt/kept', content: 'as it was' },
    { name: '.delta/setpriv', mode: 0o755, content: '#!/bin/sh\necho trapped\n' },
    { name: 'home/job/secret', content: 'not shown' },
  ]);
  await writeLayout(join(place, 'layout'), {
    'tools:1': imageOf([await programsLayer(HOSTILE_PROGRAMS), traps], { env: ['A=of-image', 'PATH=/usr/bin:/bin'] }),
  });
  const images = new JobImages({
    storeDir: join(place, 'store'),
    storeBytesMax: 1024 ** 3,
    archives: [join(place, 'layout')],
    rootfs: {},
    registry: { registries: [], isPublicAddress: () => false },
    credentials: new Map(),
  });
  const request = { trust: 'untrusted', signal: new AbortController().signal, say: () => Promise.resolve() } as const;
  const obtained = await images.obtain('tools:1', request, isRoot);
  if (!obtained.ok) throw new Error(obtained.refusal.message);
  root = obtained.root;
});
afterAll(async () => {
  await root.release();
  await rm(place, { recursive: true, force: true });
});

const makeExecutor = (stateDir: string): SandboxExecutor => new WithRoot(makePlain(stateDir), root);

async function said(spec: Partial<SandboxSpec>, ...steps: readonly (readonly Partial<StepSpec>[])[]): Promise<string> {
  return withSandbox(makeExecutor, spec, async ({ sandbox }) => {
    const output = collectOutput();
    for (const each of steps) finished(await sandbox.run(step(...each), output.sink));
    return output.text();
  });
}

whereItRuns('an image in tier sandbox', await probeOnce(makePlain), () => {
  it('shows its own files and variables, and accounts and names of the sandbox', async () => {
    const look = 'cat /etc/mark; echo; echo "$A $PATH"; id -un; [ ! -s /etc/ld.so.preload ] && ls -A /home/job';
    expect(await said({}, [script(look)])).toBe(`${MARK}\nof-image /usr/bin:/bin\njob\n`);
  });

  it('lets a step that is to see the host see the host, with none of its variables', async () => {
    const look = script('[ -e /etc/mark ] || echo "${A:-none}"; command -v mkfs.ext4 || echo "no such program"');
    const [host, inside] = [await said({}, [look, { system: 'host' }]), await said({}, [look])];
    expect(host.startsWith('none\n')).toBe(true);
    expect(inside).toBe('no such program\n');
  });

  it('keeps what a job writes to it for its later steps, and for nobody else', async () => {
    const write = script('(echo mine > /opt/new; echo mine > /opt/kept; rm /usr/bin/wc) 2>/dev/null; true');
    const read = script('cat /opt/kept; echo; cat /opt/new 2>/dev/null || echo read-only');
    const kept = await said({}, [write], [read]);
    expect(kept).toBe(isRoot ? 'mine\n\nmine\n' : 'as it was\nread-only\n');
    expect(await said({}, [read], [script('[ -e /usr/bin/wc ] && echo whole')])).toBe('as it was\nread-only\nwhole\n');
    expect(await readFile(join(root.tree?.directory ?? '', 'opt/kept'), 'utf8')).toBe('as it was');
  });

  it('given an outlet, what connects to it reaches the warden', async () => {
    const outlet = { accept: (connection: Socket) => void connection.end('from the warden') };
    const connect = "require('net').connect(28128, '127.0.0.1').on('data', (d) => console.log(String(d)))";
    const look = script(`/.delta/ld-linux* --library-path /.delta /.delta/node -e "${connect}"`);
    expect(await said({ network: outlet }, [look])).toBe('from the warden\n');
  });

  it('keeps the root, its /etc and what becomes the user from being written', async () => {
    const write =
      'for f in /x /etc/x /etc/mark /etc/passwd /.delta/x; do (echo x > $f) 2>/dev/null && echo "wrote $f"; done; echo done';
    expect(await said({}, [script(write)])).toBe('done\n');
  });

  const fill = script('head -c 64M /dev/zero > /opt/full || exit 1; sleep 30; echo filled');
  const small = { ...DEFAULT_SANDBOX_LIMITS, diskBytes: 32 * 1024 ** 2 };
  const endings: [SandboxSpec['trust'], Partial<StepResult>, RegExp][] = isRoot
    ? [
        ['trusted', { endedBy: 'disk_full' }, /^$/],
        ['untrusted', { exitCode: 1 }, /No space left/],
      ]
    : [['trusted', { exitCode: 1 }, /Read-only/]];
  it.each(endings)(
    'given %s code, all that it writes counts as its disk, and nothing is left',
    async (trust, ends, says) => {
      const spec = { trust, minimum: MINIMUM_LAYERS.trusted, limits: small };
      await withDirectories(async (stateDir, hostDir) => {
        const opened = await makeExecutor(stateDir).open(
          specFor(hostDir, { ...spec, workspace: { hostDir, onClose: 'empty' } }),
        );
        if (!opened.ok) throw new Error(opened.refusal.message);
        const output = collectOutput();
        expect(finished(await opened.sandbox.run(step(fill), output.sink))).toMatchObject(ends);
        expect(output.text()).toMatch(says);
        expect(await opened.sandbox.close()).toEqual({ leftovers: [] });
        expect([readdirSync(stateDir), readdirSync(hostDir)]).toEqual([[], []]);
        // Others mount theirs at the same time.
        const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
        expect(mounts.filter((line) => line.includes(stateDir) || line.includes(hostDir))).toEqual([]);
      });
    },
  );

  describeProcessContract('sandbox with an image', { makeExecutor });
  describe('with an image', () => {
    // A job may write to what it has of an image; that is looked at above.
    describeHostileBattery(makeExecutor, ({ name }) => name !== 'writes outside of its workspace and home');
  });
});
