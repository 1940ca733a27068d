import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LOADER_PRELOADS } from '../images/etc-of-a-sandbox.ts';
import { SANDBOX_HOST_NAME } from './bubblewrap-arguments.ts';
import type { HostSystem } from './host-system.ts';

export type EtcOwner = { readonly user: string; readonly uid: number; readonly homeDir: string };

type Contents = Readonly<Record<string, string | Buffer>>;

const accounts = ({ user, uid, homeDir }: EtcOwner): Contents => ({
  passwd: `root:x:0:0:root:/:/bin/sh\n${user}:x:${uid}:${uid}::${homeDir}:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n`,
  group: `root:x:0:\n${user}:x:${uid}:\nnogroup:x:65534:\n`,
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  // Whatever a job sees is its own or read-only: git's distrust of other owners protects nobody here.
  gitconfig: '[safe]\n\tdirectory = *\n',
  // Laid over that of an image, which must not say what the host's programs load.
  [LOADER_PRELOADS]: '',
});

const LOOPBACK_ONLY: Contents = {
  hosts: `127.0.0.1 localhost ${SANDBOX_HOST_NAME}\n::1 localhost ${SANDBOX_HOST_NAME}\n`,
  'resolv.conf': '',
};

/** Programs that ask for their own host by name would otherwise wait for servers of names, which do not know it. */
const networkOfHost = async (): Promise<Contents> => ({
  hosts: `${await readFile('/etc/hosts', 'utf8')}\n127.0.0.1 ${SANDBOX_HOST_NAME}\n::1 ${SANDBOX_HOST_NAME}\n`,
  'resolv.conf': await readFile('/etc/resolv.conf'),
});

/** Writes the /etc of one sandbox to `directory`, with a place for each directory of the host's that is mounted there. */
export async function writeOwnEtc(
  directory: string,
  owner: EtcOwner,
  network: 'none' | 'host',
  system: HostSystem,
): Promise<void> {
  const names: Contents = network === 'host' ? await networkOfHost() : LOOPBACK_ONLY;
  const contents: Contents = { ...system.etcFiles, ...accounts(owner), ...names };
  const directories = [...system.etcDirectories, ...Object.keys(contents).map(dirname)];
  for (const name of new Set(directories)) await mkdir(join(directory, name), { recursive: true, mode: 0o755 });
  await Promise.all(
    Object.entries(contents).map(([name, content]) => writeFile(join(directory, name), content, { mode: 0o644 })),
  );
}
