import { afterAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../../test/support/infra/eventually.ts';
import { Git } from './git.ts';
import { errorOf, TemporaryPlaces, TEST_ENVIRONMENT, valueOf } from './made-repository.fixture.ts';

const git = new Git({ environment: TEST_ENVIRONMENT });
const places = new TemporaryPlaces();

afterAll(() => places.removeAll());

/** A program in git's place. `$PROOF` is a file it may write. */
async function pretend(script: string, environment: Record<string, string> = {}): Promise<{ git: Git; proof: string }> {
  const directory = await places.directory();
  const proof = join(directory, 'proof');
  await writeFile(join(directory, 'git'), `#!/bin/sh\nPROOF='${proof}'\n${script}\n`);
  await chmod(join(directory, 'git'), 0o755);
  const program = join(directory, 'git');
  return { git: new Git({ program, environment: { ...TEST_ENVIRONMENT, ...environment } }), proof };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('running git', () => {
  it('given operands that look like options, when run, then git takes them for operands', async () => {
    const made = await places.repository();
    made.commitAll('one');
    const target = join(await places.directory(), 'written');
    const context = { gitDir: made.gitDir };
    const refused = await git.run(
      { command: 'diff-tree', flags: ['-p'], operands: [`--output=${target}`, 'HEAD'] },
      context,
    );
    expect(refused.ok).toBe(false);
    expect(existsSync(target)).toBe(false);
    const remote = await git.run(
      { command: 'ls-remote', operands: [`--upload-pack=touch ${target};`, made.root] },
      context,
    );
    expect(remote.ok).toBe(false);
    expect(existsSync(target)).toBe(false);
  });

  it('given an environment full of traps, when run, then none of it reaches git but what is listed', async () => {
    const traps = {
      GIT_DIR: '/trap',
      GIT_SSH_COMMAND: 'trap',
      GIT_EXTERNAL_DIFF: 'trap',
      GIT_PROXY_COMMAND: 'trap',
      GIT_TRACE: '/trap',
      GIT_CONFIG_PARAMETERS: "'core.fsmonitor=trap'",
      GIT_TEMPLATE_DIR: '/trap',
      LD_PRELOAD: '/trap',
      BASH_ENV: '/trap',
      SECRET_TOKEN: 'obviously-fake',
      HOME: '/home/trap',
    };
    const { git: pretending, proof } = await pretend('env > "$PROOF"', { ...traps, SSL_CERT_FILE: '/certs' });
    valueOf(await pretending.run({ command: 'status' }));
    const seen = await readFile(proof, 'utf8');
    expect(seen).not.toMatch(/trap|obviously-fake/u);
    expect(seen).toContain('SSL_CERT_FILE=/certs\n');
    expect(seen).toContain('GIT_ALLOW_PROTOCOL=none\n');
    for (const line of ['GIT_CONFIG_NOSYSTEM=1', 'GIT_CONFIG_GLOBAL=/dev/null', 'GIT_TERMINAL_PROMPT=0', 'LC_ALL=C']) {
      expect(seen).toContain(`${line}\n`);
    }
  });

  it('given settings of the repository that start programs, when git is asked, then ours outrank them', async () => {
    const made = await places.repository();
    made.git(['config', 'core.hooksPath', '/trap']);
    made.git(['config', 'core.fsmonitor', 'trap']);
    made.git(['config', 'credential.helper', 'trap']);
    const value = (name: string): Promise<string> =>
      git.line({ command: 'config', flags: ['--get', name] }, { gitDir: made.gitDir }).then(valueOf);
    expect(await value('core.hooksPath')).toBe('/dev/null');
    expect(await value('core.fsmonitor')).toBe('false');
    expect(await value('credential.helper')).toBe('');
  });

  it('given protocols that are not listed, when a remote is asked, then git refuses', async () => {
    const made = await places.repository();
    made.commitAll('one');
    const command = { command: 'ls-remote', operands: [`file://${made.root}`] };
    expect(errorOf(await git.run(command))).toBe('protocol_refused');
    expect(errorOf(await git.run(command, { protocols: ['https', 'ssh'] }))).toBe('protocol_refused');
    expect(valueOf(await git.run(command, { protocols: ['file'] })).stdout.toString()).toContain('refs/heads/main');
    const proof = join(await places.directory(), 'ran');
    const helper = { command: 'ls-remote', operands: [`ext::sh -c touch% ${proof}`] };
    expect(errorOf(await git.run(helper, { protocols: ['https', 'ssh', 'file'] }))).toBe('protocol_refused');
    expect(existsSync(proof)).toBe(false);
  });

  it('given more output than wanted, when run, then it is ended and named', async () => {
    const { git: pretending } = await pretend('while :; do echo endless; done');
    expect(errorOf(await pretending.run({ command: 'log' }, { maxOutputBytes: 10_000 }))).toBe('output_too_large');
  });

  it('given a stream whose reader has had enough, when run, then that is success', async () => {
    const { git: pretending } = await pretend('while :; do echo endless; done');
    expect(valueOf(await pretending.stream({ command: 'log' }, {}, () => false))).toBe(0);
  });

  it('given a reader that throws, when run, then the process is ended and the error is the caller’s', async () => {
    const { git: pretending, proof } = await pretend('echo $$ > "$PROOF"; while :; do echo endless; done');
    const broken = pretending.stream({ command: 'log' }, {}, () => {
      throw new Error('broken reader');
    });
    await expect(broken).rejects.toThrow('broken reader');
    expect(lives(Number(await readFile(proof, 'utf8')))).toBe(false);
  });

  it('given a time limit, when it passes, then git and all it started are gone', async () => {
    const { git: pretending, proof } = await pretend('sleep 600 & echo $! > "$PROOF"; wait');
    const result = await pretending.run({ command: 'fetch' }, { timeLimitMs: 300 });
    expect(errorOf(result)).toBe('git_timed_out');
    const grandchild = Number(await readFile(proof, 'utf8'));
    await eventually('the grandchild to be gone', () => !lives(grandchild));
  });

  it('given a process that ignores being told to end, when time is up, then it is ended all the same', async () => {
    const { git: pretending } = await pretend("trap '' TERM; while :; do sleep 1; done");
    expect(errorOf(await pretending.run({ command: 'fetch' }, { timeLimitMs: 100 }))).toBe('git_timed_out');
  });

  it('given a signal, when it is aborted before or during, then that is the answer', async () => {
    expect(errorOf(await git.run({ command: 'version' }, { signal: AbortSignal.abort() }))).toBe('git_canceled');
    const { git: pretending, proof } = await pretend('echo started > "$PROOF"; sleep 600');
    const stop = new AbortController();
    const running = pretending.run({ command: 'fetch' }, { signal: stop.signal });
    await eventually('the process to start', () => existsSync(proof));
    stop.abort();
    expect(errorOf(await running)).toBe('git_canceled');
  });

  it('given a flood on the error stream, when it fails, then the message is short, masked and safe to print', async () => {
    const { git: pretending } = await pretend(
      `printf 'fatal: https://me:obviously-fake@host/ \\033[2Jfailed\\n' >&2; i=0; while [ $i -lt 5000 ]; do echo "remote: noise noise noise" >&2; i=$((i+1)); done; exit 128`,
    );
    const result = await pretending.run({ command: 'fetch' }, { secrets: ['noise'] });
    expect(errorOf(result)).toBe('git_failed');
    if (result.ok) return;
    expect(result.error.message).toBe('git fetch failed: fatal: https://***@host/ ?[2Jfailed');
    expect(result.error.stderr?.length).toBeLessThanOrEqual(4_000);
    expect(result.error.stderr?.replaceAll('\n', '')).not.toMatch(/noise|obviously-fake|\p{Cc}/u);
  });

  it('given input larger than any pipe, when the process does not read it, then nothing hangs', async () => {
    const { git: pretending } = await pretend('exit 0');
    const input = Buffer.alloc(5_000_000, 'x');
    expect(valueOf(await pretending.run({ command: 'x' }, { input })).exitCode).toBe(0);
  });

  it('given no program, when run, then that has a name', async () => {
    const none = new Git({ program: '/nonexistent/git', environment: {} });
    expect(errorOf(await none.run({ command: 'version' }))).toBe('git_not_found');
    expect(valueOf(await git.version())[0]).toBeGreaterThanOrEqual(2);
    expect(errorOf(await git.version('99.0'))).toBe('git_too_old');
  });
});
