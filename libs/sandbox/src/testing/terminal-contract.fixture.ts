import { describe, expect, it } from '@jest/globals';
import type { SandboxExecutor, StepOutcome } from '../sandbox-executor.ts';
import { finished, script, step, withSandbox } from './open-sandbox.fixture.ts';
import { person, type Person } from './person.fixture.ts';

const SHELL = script("PS1='ready> '; export PS1; exec sh -i");

/** A shell on a terminal, from its first prompt to its end. */
async function atShell(
  makeExecutor: (stateDir: string) => SandboxExecutor,
  use: (somebody: Person, ends: AbortController) => Promise<void>,
): Promise<StepOutcome> {
  let outcome: StepOutcome | null = null;
  await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
    const somebody = person();
    const ends = new AbortController();
    const running = sandbox.run(step(SHELL, { terminal: somebody.terminal, signal: ends.signal }), somebody.sink);
    const used = somebody.sees('ready> ').then(async () => use(somebody, ends));
    // A shell that would not even begin is no reason to wait for its prompt.
    outcome = await running;
    if (outcome.kind === 'finished') await used;
  });
  if (outcome === null) throw new Error('the shell has come to no end');
  return outcome;
}

function describeShellsEnd(makeExecutor: (stateDir: string) => SandboxExecutor): void {
  it('given a shell that is killed, that is how it ended', async () => {
    const outcome = await atShell(makeExecutor, async ({ type }) => type('kill -KILL $$\n'));
    expect(finished(outcome)).toMatchObject({ endedBy: 'signal', signal: 'SIGKILL' });
  });

  it('given somebody who hangs up, the shell ends', async () => {
    const outcome = await atShell(makeExecutor, async ({ hangUp }) => hangUp());
    expect(finished(outcome).endedBy).toBe('exit');
  });

  it('given nobody who types and nothing that is shown, the shell ends as idle', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const { terminal, sink } = person();
      const outcome = await sandbox.run(step(SHELL, { terminal, idleTimeoutMs: 2_000 }), sink);
      expect(finished(outcome).endedBy).toBe('idle_timeout');
    });
  });

  it('given a signal, the shell is stopped although it does not listen', async () => {
    const outcome = await atShell(makeExecutor, async ({ type, sees }, ends) => {
      type('trap \'\' TERM HUP; echo de""af\n');
      await sees('deaf');
      ends.abort();
    });
    expect(finished(outcome).endedBy).toBe('canceled');
  });
}

function describeHostileCode(makeExecutor: (stateDir: string) => SandboxExecutor): void {
  it('given processes in the background that keep the terminal open, none outlives the shell', async () => {
    await withSandbox(makeExecutor, {}, async ({ sandbox }) => {
      const somebody = person();
      const running = sandbox.run(step(SHELL, { terminal: somebody.terminal }), somebody.sink);
      await somebody.sees('ready> ');
      somebody.type('(trap "" HUP TERM; while :; do date +%s%N > beat; sleep 0.05; done) & echo le""ft\n');
      await somebody.sees('left');
      somebody.type('exit\nexit\n');
      expect(finished(await running).endedBy).toBe('exit');
      const still = script('[ -e beat ] || exit 2; a=$(cat beat); sleep 0.5; [ "$a" = "$(cat beat)" ]');
      expect(finished(await sandbox.run(step(still), somebody.sink)).exitCode).toBe(0);
    });
  });

  it('given code that types into its terminal, only that terminal has it', async () => {
    const injection = `perl -e 'my $t = ""; $t .= ioctl(STDIN, 0x5412, $_) ? "typed" : "refused" for split(//, "#no"); print "$t\\n"'`;
    const outcome = await atShell(makeExecutor, async ({ type, sees, screen }) => {
      type(`${injection}\n`);
      await sees('ed\r\n');
      type('\necho af""ter\n');
      await sees('after');
      expect(screen()).toMatch(/(typed){3}|(refused){3}/u);
      type('exit 0\n');
    });
    expect(finished(outcome).exitCode).toBe(0);
  });
}

/** What holds for terminals of steps in every tier that gives them any. */
export function describeTerminals(tier: string, makeExecutor: (stateDir: string) => SandboxExecutor): void {
  describe(`terminals in tier ${tier}`, () => {
    it('given a terminal, the step has it, knows its size and hears of another; its end is told', async () => {
      const outcome = await atShell(makeExecutor, async ({ type, sees, resize }) => {
        type('[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo is"" one; stty size\n');
        await sees('is one');
        await sees('30 100');
        type('until [ "$(stty size)" = "50 120" ]; do sleep 0.02; done; echo lar""ger\n');
        resize(50, 120);
        await sees('larger');
        type('exit 7\n');
      });
      expect(finished(outcome)).toMatchObject({ endedBy: 'exit', exitCode: 7 });
    });

    it('given Ctrl-C and Ctrl-Z, what runs in the foreground hears of it and the shell goes on', async () => {
      const outcome = await atShell(makeExecutor, async ({ type, sees }) => {
        type(`sh -c 'echo be""gun; exec sleep 1000'\n`);
        await sees('begun');
        type('\u0003');
        type(`sh -c 'echo interrup""ted; exec sleep 1000'\n`);
        await sees('interrupted');
        type('\u001a');
        type('jobs; kill -KILL %1; wait; echo do""ne\n');
        await sees('Stopped');
        await sees('done');
        // A shell may still think that it has a stopped job, and say so once.
        type('exit 0\nexit 0\n');
      });
      expect(finished(outcome).endedBy).toBe('exit');
    });

    describeShellsEnd(makeExecutor);
    describeHostileCode(makeExecutor);
  });
}
