import { judgeAddresses, type AddressPolicy, type PinnedAddresses, type ResolveHost } from './address-policy.ts';
import type { CloneUrl, Credential } from './clone-url.ts';
import { done, type GitResult } from './git-error.ts';
import type { Git, GitContext } from './git.ts';
import type { ConfigSetting } from './hygiene.ts';

/** `http.curloptResolve`, by which a connection is held to addresses that were judged, came with 2.37. */
const PINNING_GIT_VERSION = '2.37';

export interface SshOptions {
  /** Private key to show; without it ssh uses the agent of `SSH_AUTH_SOCK`. */
  readonly identityFile?: string;
  /** Keys of known hosts. Hosts that are not in it are refused. */
  readonly knownHostsFile: string;
}

export interface RemoteAccess {
  readonly remote: CloneUrl;
  readonly credential?: Credential | undefined;
  readonly addressPolicy: AddressPolicy;
  readonly resolve?: ResolveHost | undefined;
  readonly ssh?: SshOptions | undefined;
}

/** Quotes a word for the shell that git hands its ssh command to. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function sshCommand(remote: CloneUrl, ssh: SshOptions | undefined, pinned: PinnedAddresses): string {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=30', 'ServerAliveInterval=15'];
  if (ssh !== undefined) options.push(`UserKnownHostsFile=${ssh.knownHostsFile}`, 'GlobalKnownHostsFile=/dev/null');
  if (ssh?.identityFile !== undefined) options.push(`IdentityFile=${ssh.identityFile}`, 'IdentitiesOnly=yes');
  if (pinned?.[0] !== undefined) options.push(`HostName=${pinned[0]}`, `HostKeyAlias=${remote.host}`);
  return ['ssh', '-F', '/dev/null', ...options.flatMap((option) => ['-o', quoted(option)])].join(' ');
}

function httpSettings(remote: CloneUrl, credential: Credential | undefined, pinned: PinnedAddresses): ConfigSetting[] {
  // A peer that sends less than 1,000 bytes a second for a minute is not worth waiting for.
  const settings: ConfigSetting[] = [
    ['http.lowSpeedLimit', '1000'],
    ['http.lowSpeedTime', '60'],
  ];
  if (credential !== undefined) {
    const basic = Buffer.from(`${credential.username}:${credential.password}`).toString('base64');
    // For this address alone: git would send it nowhere else, were a redirect ever followed.
    settings.push([`http.${new URL(remote.url).origin}/.extraHeader`, `Authorization: Basic ${basic}`]);
  }
  if (pinned !== undefined) {
    settings.push(['http.curloptResolve', `${remote.host}:${remote.port}:${pinned.join(',')}`]);
  }
  return settings;
}

function secretsOf(credential: Credential | undefined): string[] {
  if (credential === undefined) return [];
  return [credential.password, Buffer.from(`${credential.username}:${credential.password}`).toString('base64')];
}

/**
 * Everything a command needs to reach a remote safely: its protocol alone allowed, its addresses judged and pinned,
 * the credential where no other user of the machine can read it, arriving objects checked.
 */
export async function accessRemote(git: Git, access: RemoteAccess): Promise<GitResult<GitContext>> {
  const { remote } = access;
  const judged = await judgeAddresses(remote, access.addressPolicy, access.resolve);
  if (!judged.ok) return judged;
  const pinned = judged.value;
  const overHttp = remote.protocol === 'https' || remote.protocol === 'http';
  if (pinned !== undefined && overHttp) {
    const able = await git.version(PINNING_GIT_VERSION);
    if (!able.ok) return able;
  }
  const credential = access.credential ?? remote.credential;
  const config: ConfigSetting[] = [
    // Whatever arrives stays one pack: its size can be watched, and thousands of small files never appear.
    ['fetch.unpackLimit', '1'],
    // A mirror that a crash of the machine damaged is thrown away and fetched again: no flush has to be waited for.
    ['core.fsync', 'none'],
  ];
  if (overHttp) config.push(...httpSettings(remote, credential, pinned));
  if (remote.protocol === 'ssh')
    config.push(['core.sshCommand', sshCommand(remote, access.ssh, pinned)], ['ssh.variant', 'ssh']);
  return done({ protocols: [remote.protocol], config, secrets: secretsOf(credential) });
}
