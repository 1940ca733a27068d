import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SANDBOX_HOST_NAME } from './bubblewrap-arguments.ts';

const contents = (user: string, uid: number, homeDir: string): Readonly<Record<string, string>> => ({
  passwd: [
    'root:x:0:0:root:/:/bin/sh',
    `${user}:x:${uid}:${uid}::${homeDir}:/bin/sh`,
    'nobody:x:65534:65534:nobody:/:/bin/false',
    '',
  ].join('\n'),
  group: ['root:x:0:', `${user}:x:${uid}:`, 'nogroup:x:65534:', ''].join('\n'),
  'nsswitch.conf': [
    'passwd: files',
    'group: files',
    'hosts: files dns',
    'services: files',
    'protocols: files',
    '',
  ].join('\n'),
  // Whatever a job sees is its own or read-only: git's distrust of other owners protects nobody here.
  gitconfig: '[safe]\n\tdirectory = *\n',
});

const LOOPBACK_ONLY: Readonly<Record<string, string>> = {
  hosts: `127.0.0.1 localhost ${SANDBOX_HOST_NAME}\n::1 localhost ${SANDBOX_HOST_NAME}\n`,
  'resolv.conf': '',
};

const FROM_HOST: Readonly<Record<string, string>> = { hosts: '/etc/hosts', 'resolv.conf': '/etc/resolv.conf' };

export type EtcOwner = { readonly user: string; readonly uid: number; readonly homeDir: string };

/** Writes the /etc of one sandbox into `directory`; answers which host file goes to which name. */
export async function writeOwnEtc(
  directory: string,
  owner: EtcOwner,
  network: 'none' | 'host',
): Promise<Readonly<Record<string, string>>> {
  await mkdir(directory, { mode: 0o755 });
  const written = { ...contents(owner.user, owner.uid, owner.homeDir), ...(network === 'none' ? LOOPBACK_ONLY : {}) };
  const entries = await Promise.all(
    Object.entries(written).map(async ([name, text]) => {
      const path = join(directory, name);
      await writeFile(path, text, { mode: 0o644 });
      return [name, path] as const;
    }),
  );
  return { ...Object.fromEntries(entries), ...(network === 'host' ? FROM_HOST : {}) };
}
