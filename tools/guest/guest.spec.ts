import { describe, expect, it } from '@jest/globals';
import { parseGuestArguments, type GuestOrder } from './arguments.ts';
import { GuestConsole } from './console.ts';
import { settingText, workText } from './initial-memory.ts';
import { machineArguments } from './machine.ts';
import { verdictOf } from './verdict.ts';
import { workOf } from './work.ts';

function order(...args: string[]): GuestOrder {
  const parsed = parseGuestArguments(args);
  if (parsed.kind !== 'boot') throw new Error('it is asked for wrongly');
  return parsed.order;
}

describe('what a guest says', () => {
  it('given text in any pieces, it is shown by lines, without what the guest says of itself', () => {
    const guest = new GuestConsole();
    const shown = ['\r\ndelta-', 'guest: up\r\none\r', '\ntw', 'o\r\n\r\ndelta-guest: ended with 3\r\n'].map((text) =>
      guest.take(text),
    );
    expect(shown).toEqual(['\n', '', 'one\n', 'two\n\n']);
    expect(guest).toMatchObject({ isUp: true, exitCode: 3 });
  });

  it('given batteries among it, they are kept', () => {
    const guest = new GuestConsole();
    guest.take('hostile battery: 77 of 77 jobs withstood in tier sandbox as root\r\nPASS hostile battery: no\r\n');
    expect(guest).toMatchObject({
      isUp: false,
      exitCode: null,
      batteries: ['hostile battery: 77 of 77 jobs withstood in tier sandbox as root'],
    });
  });
});

describe('the verdict on a guest', () => {
  const kernel = 'Linux 6.1, TCG';
  const battery = 'hostile battery: 77 of 77 jobs withstood';

  it('given all that was asked for, it names kernel, groups and batteries', () => {
    const verdict = verdictOf({ kind: 'done', exitCode: 0, batteries: [battery] }, kernel, order());
    expect(verdict).toEqual({
      text: `${battery}\nguest (Linux 6.1, TCG, control groups v2): succeeded`,
      exitCode: 0,
    });
  });

  it('given no hostile job although they were asked for, it is none that succeeded', () => {
    const end = { kind: 'done', exitCode: 0, batteries: [] } as const;
    expect(verdictOf(end, kernel, order())).toMatchObject({
      text: expect.stringContaining('no hostile job'),
      exitCode: 1,
    });
    expect(verdictOf(end, kernel, order('libs/git'))).toMatchObject({ exitCode: 0 });
  });

  it.each([
    [{ kind: 'done', exitCode: 4, batteries: [battery] } as const, 4, 'FAILED, exit code 4'],
    [{ kind: 'gone', said: 'Kernel panic' } as const, 3, 'Kernel panic'],
    [{ kind: 'out-of-time' } as const, 3, 'not done within 60 minutes'],
    [{ kind: 'stopped' } as const, 130, 'stopped'],
  ])('given the end %j, the exit code is %i', (end, exitCode, says) => {
    expect(verdictOf(end, kernel, order())).toMatchObject({ exitCode, text: expect.stringContaining(says) });
  });
});

describe('how a guest is booted', () => {
  const files = { kernel: '/k', initialMemory: '/i', disk: '/a,b/disk', log: '/a,b/log' };

  it('given paths with commas, QEMU takes them for paths', () => {
    const args = machineArguments('tcg', files);
    expect(args).toEqual(
      expect.arrayContaining(['file:/a,,b/log', 'file=/a,,b/disk,if=virtio,format=raw,cache=unsafe']),
    );
  });

  it('this machine’s files cannot be changed, and there is no network', () => {
    const args = machineArguments('kvm', files).join(' ');
    expect(args).toContain('-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on');
    expect(args).toContain('-nodefaults');
    expect(args).not.toMatch(/-net|-nic/u);
  });

  it('given a kernel that is a program, its second serial line is what it prints', () => {
    expect(machineArguments('uml', files)).toEqual(
      expect.arrayContaining(['initrd=/i', 'ubd0=/a,b/disk', 'con0=fd:2,fd:2', 'ssl1=fd:0,fd:1']),
    );
  });
});

describe('what a guest does', () => {
  const env = { DELTA_BWRAP: '/cache/bwrap', DELTA_CONTAINER_ENGINE: '/run/docker.sock', PATH: '/bin', SECRET: 'fake' };

  it('given specs, Jest runs them with what the bootstrap found, and nothing else of the environment', () => {
    const work = workOf(order('libs/git'), 'tcg', '/repo', env);
    expect(work).toMatchObject({ repoRoot: '/repo', cgroups: 2, place: 'top' });
    expect(work.command.slice(1)).toEqual([
      '/repo/node_modules/jest/bin/jest.js',
      '--ci',
      '--testTimeout=600000',
      'libs/git',
    ]);
    expect(Object.keys(work.env).toSorted()).toEqual(['DELTA_BWRAP', 'HOME', 'LANG', 'NODE_OPTIONS', 'PATH']);
    expect(work.open).toContain('/cache/bwrap');
  });

  it('given a command, a shell runs it', () => {
    expect(workOf(order('--command', 'uname -a'), 'kvm', '/repo', env).command).toEqual(['/bin/sh', '-c', 'uname -a']);
  });

  it('its words come through the guest’s shell as they are', () => {
    const work = { ...workOf(order('--command', "echo 'a b'"), 'kvm', "/re'po", {}), env: { A: "it's" }, open: ['/x'] };
    expect(workText(work)).toBe(
      String.raw`cd '/re'\''po' || exit 125` +
        '\n' +
        String.raw`exec env -i 'A=it'\''s' '/bin/sh' '-c' 'echo '\''a b'\'''` +
        '\n',
    );
    expect(settingText(work)).toBe(
      String.raw`REPO='/re'\''po'` + '\nCGROUPS=2\nPLACE=top\n' + String.raw`OPEN='/x /re'\''po'` + '\n',
    );
  });
});
