import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { done, type GitResult } from './git-error.ts';
import { Git } from './git.ts';
import { errorOf, MadeRepository, TemporaryPlaces, TEST_ENVIRONMENT, valueOf } from './made-repository.fixture.ts';
import { MirrorCache, type MirrorCacheOptions, type MirrorUse } from './mirror-cache.ts';
import { MirrorDirectory, mirrorKey } from './mirror-directory.ts';
import { Mirror, type Fetched, type Wanted } from './mirror.ts';
import { ServedRepositories } from './served-repositories.fixture.ts';

const git = new Git({ environment: TEST_ENVIRONMENT });
const places = new TemporaryPlaces();

let source: MadeRepository;
let served: ServedRepositories;
let cacheDirectory: string;
let url: string;

beforeEach(async () => {
  source = await places.repository();
  served = await ServedRepositories.of(join(source.root, '..'));
  cacheDirectory = join(await places.directory(), 'cache');
  url = served.url('repository/.git');
});
afterEach(() => served.close());
afterAll(() => places.removeAll());

function cache(options: Partial<MirrorCacheOptions> = {}): MirrorCache {
  const defaults = { git, dir: cacheDirectory, addressPolicy: { kind: 'any' }, allowProtocols: ['http'] } as const;
  return new MirrorCache({ ...defaults, ...options });
}

function fetchWith(from: MirrorCache, wanted: Wanted, how?: MirrorUse): Promise<GitResult<Fetched>> {
  return from.withMirror(url, (mirror) => mirror.fetch(wanted), how);
}

async function paths(from: MirrorCache, commit: string): Promise<GitResult<string[]>> {
  return from.withMirror(url, async (mirror) => {
    const fetched = await mirror.fetch({ commits: [commit] });
    if (!fetched.ok) return fetched;
    const entries = await mirror.listTree(commit);
    return entries.ok ? done(entries.value.map((entry) => entry.path)) : entries;
  });
}

/** All bytes of all files below a directory. */
async function everythingIn(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')));
  return contents.join('\n');
}

describe('fetching', () => {
  it('given a commit id, when fetched twice, then the remote is asked once and the whole history is here', async () => {
    await source.write('a', '1');
    const first = source.commitAll('first');
    await source.write('b', '2');
    const second = source.commitAll('second');
    const mirrors = cache();

    expect(valueOf(await paths(mirrors, second))).toEqual(['a', 'b']);
    const asked = served.requests.length;
    expect(valueOf(await fetchWith(mirrors, { commits: [second, first] })).askedRemote).toBe(false);
    expect(served.requests).toHaveLength(asked);
  });

  it('given a ref, when it moves and is rewritten, then each fetch tells where it is now', async () => {
    const one = source.commitAll('one');
    const mirrors = cache();
    const wanted = { refs: ['refs/heads/main'] };
    expect(valueOf(await fetchWith(mirrors, wanted)).refs.get('refs/heads/main')).toBe(one);
    source.git(['commit', '--quiet', '--amend', '--allow-empty', '--message', 'rewritten']);
    const rewritten = source.git(['rev-parse', 'HEAD']);
    expect(valueOf(await fetchWith(mirrors, wanted)).refs.get('refs/heads/main')).toBe(rewritten);
    expect(valueOf(await fetchWith(mirrors, { commits: [one] })).askedRemote).toBe(false);
  });

  it('given a branch replaced by one below its name, when fetched, then neither stands in the way of the other', async () => {
    const commit = source.commitAll('one');
    source.git(['branch', 'topic']);
    const mirrors = cache();
    valueOf(await fetchWith(mirrors, { refs: ['refs/heads/topic'] }));
    source.git(['branch', '--move', 'topic', 'topic/part']);
    const fetched = valueOf(await fetchWith(mirrors, { refs: ['refs/heads/topic/part'] }));
    expect(fetched.refs.get('refs/heads/topic/part')).toBe(commit);
  });

  it('given a server that gives away branch tips alone, when an older commit is wanted, then it is found in the branches', async () => {
    const older = source.commitAll('older');
    source.commitAll('newer');
    served.intercept = (request) => {
      delete request.headers['git-protocol'];
      return false;
    };
    expect(valueOf(await fetchWith(cache(), { commits: [older] })).askedRemote).toBe(true);
  });

  it('given commits and refs that do not exist, when fetched, then the refusal says which kind', async () => {
    source.commitAll('one');
    const mirrors = cache();
    expect(errorOf(await fetchWith(mirrors, { commits: ['a'.repeat(40)] }))).toBe('commit_not_found');
    expect(errorOf(await fetchWith(mirrors, { refs: ['refs/heads/none'] }))).toBe('ref_not_found');
    expect(errorOf(await fetchWith(mirrors, { refs: ['--upload-pack=x'] }))).toBe('invalid_ref');
    expect(errorOf(await fetchWith(mirrors, { commits: ['--output=x'] }))).toBe('invalid_commit_id');
  });

  it('given a repository hashed with SHA-256, when fetched as such, then its commits are here', async () => {
    const long = await places.repository('--object-format=sha256');
    const commit = long.commitAll('one');
    const other = await ServedRepositories.of(join(long.root, '..'));
    const fetched = await cache().withMirror(
      other.url('repository/.git'),
      (mirror) => mirror.fetch({ commits: [commit] }),
      { objectFormat: 'sha256' },
    );
    await other.close();
    expect(valueOf(fetched).askedRemote).toBe(true);
  });

  it('given a remote, when its default branch is asked for, then name and commit are told', async () => {
    const commit = source.commitAll('one');
    const head = valueOf(await cache().withMirror(url, (mirror) => mirror.remoteHead()));
    expect(head).toEqual({ ref: 'refs/heads/main', commit });
  });

  it('given eight at once that want the same commit, when fetched, then one of them asks the remote', async () => {
    const commit = source.commitAll('one');
    const mirrors = cache();
    const all = await Promise.all(Array.from({ length: 8 }, () => fetchWith(mirrors, { commits: [commit] })));
    expect(all.map((result) => valueOf(result).askedRemote).filter(Boolean)).toHaveLength(1);
  });

  it('given more packs and pins than a mirror keeps, when fetched, then packs are joined, pins forgotten and nothing is lost', async () => {
    const directory = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    valueOf(await cache().withMirror(url, async () => done(undefined)));
    const limits = {
      fetchTimeLimitMs: 30_000,
      lockWaitMs: 30_000,
      maxRepositoryBytes: 1e9,
      maxPacks: 3,
      maxPins: 4,
    };
    const remote = { url, protocol: 'http', host: '127.0.0.1', port: served.port } as const;
    const mirror = new Mirror({ git, directory, limits, access: { remote, addressPolicy: { kind: 'any' } } });
    const commits: string[] = [];
    for (let n = 0; n < 8; n += 1) {
      await source.write('a', `${n}`);
      commits.push(source.commitAll(`${n}`));
      valueOf(await mirror.fetch({ commits: commits.slice(-1) }));
    }
    expect(await directory.packCount()).toBeLessThanOrEqual(4);
    const pins = execFileSync('git', ['--git-dir', mirror.gitDir, 'for-each-ref']).toString().trim().split('\n');
    expect(pins.length).toBeLessThanOrEqual(5);
    expect(valueOf(await mirror.fetch({ commits })).askedRemote).toBe(false);
    await mirror.close();
  });
});

describe('a remote that refuses or misbehaves', () => {
  it('given no such repository, nobody listening, or silence, when fetched, then each has its name', async () => {
    const mirrors = cache();
    const wanted = { refs: ['refs/heads/main'] };
    const missing = await mirrors.withMirror(served.url('nothing.git'), (mirror) => mirror.fetch(wanted));
    expect(errorOf(missing)).toBe('repository_not_found');
    const dead = await mirrors.withMirror('http://127.0.0.1:1/x.git', (mirror) => mirror.fetch(wanted));
    expect(errorOf(dead)).toBe('repository_unreachable');
    served.intercept = () => true;
    const silent = cache({ fetchTimeLimitMs: 300 });
    expect(errorOf(await fetchWith(silent, wanted))).toBe('git_timed_out');
  });

  it('given a caller that gives up, when the remote is silent, then the fetch ends with its process', async () => {
    const given = new AbortController();
    served.intercept = () => {
      given.abort();
      return true;
    };
    const result = await fetchWith(cache(), { refs: ['refs/heads/main'] }, { signal: given.signal });
    expect(errorOf(result)).toBe('git_canceled');
  });

  it('given a credential, when the remote wants it, then it gets it, and it is written nowhere', async () => {
    const commit = source.commitAll('one');
    const secret = 'obviously-fake-password';
    const expected = `Basic ${Buffer.from(`robot:${secret}`).toString('base64')}`;
    served.intercept = (request, response) => {
      if (request.headers.authorization === expected) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(`no: ${request.headers.authorization}`);
      return true;
    };
    const wanted = { commits: [commit] };
    expect(errorOf(await fetchWith(cache(), wanted))).toBe('access_denied');
    const wrong = await fetchWith(cache(), wanted, { credential: { username: 'robot', password: `${secret}-2` } });
    expect(errorOf(wrong)).toBe('access_denied');
    expect(JSON.stringify(wrong)).not.toContain(secret);
    valueOf(await fetchWith(cache(), wanted, { credential: { username: 'robot', password: secret } }));
    const inUrl = url.replace('http://', `http://robot:${secret}@`);
    const again = await cache().withMirror(inUrl, (mirror) => mirror.fetch({ refs: ['refs/heads/main'] }));
    expect(valueOf(again).askedRemote).toBe(true);
    expect(await everythingIn(cacheDirectory)).not.toContain(secret);
    expect(await everythingIn(cacheDirectory)).not.toContain(expected);
  });

  it('given a redirect, when fetched, then it is refused and the other place never hears of us', async () => {
    const commit = source.commitAll('one');
    const other = await ServedRepositories.of(join(source.root, '..'));
    served.intercept = (request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${other.port}${request.url}` }).end();
      return true;
    };
    const result = await fetchWith(cache(), { commits: [commit] });
    const heard = other.requests.length;
    await other.close();
    expect(errorOf(result)).toBe('redirect_refused');
    expect(heard).toBe(0);
  });

  it('given objects that would overwrite .git when checked out, when fetched, then they are refused', async () => {
    const blob = source.git(['hash-object', '-w', '--stdin'], 'x');
    const inner = source.git(['mktree'], `100644 blob ${blob}\tconfig\n`);
    const tree = source.git(['mktree'], `040000 tree ${inner}\t.git\n`);
    const commit = source.git(['commit-tree', '-m', 'hostile', tree]);
    source.git(['update-ref', 'refs/heads/main', commit]);
    expect(errorOf(await fetchWith(cache(), { commits: [commit] }))).toBe('hostile_objects');
  });

  it('given more history than a mirror may have, when fetched, then it is refused and thrown away', async () => {
    await source.write('noise', Buffer.from(Array.from({ length: 200_000 }, (_, n) => (n * n * 31) % 251)));
    const commit = source.commitAll('large');
    const result = await fetchWith(cache({ maxRepositoryBytes: 100 }), { commits: [commit] });
    expect(errorOf(result)).toBe('repository_too_large');
    const directory = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    expect(await directory.packBytes()).toBe(0);
  });
});

describe('where a remote may be', () => {
  it('given the default protocols, when http or a file is asked for, then that is refused before anything happens', async () => {
    const mirrors = new MirrorCache({ git, dir: cacheDirectory, addressPolicy: { kind: 'any' } });
    const nothing = async (): Promise<GitResult<void>> => done(undefined);
    expect(errorOf(await mirrors.withMirror(url, nothing))).toBe('protocol_refused');
    expect(errorOf(await mirrors.withMirror(`file://${source.root}`, nothing))).toBe('protocol_refused');
    expect(errorOf(await mirrors.withMirror('ext::sh -c x', nothing))).toBe('invalid_url');
    expect(existsSync(cacheDirectory)).toBe(false);
  });

  it('given public addresses only, when the host is or resolves to a private one, then nothing is asked', async () => {
    const commit = source.commitAll('one');
    const mirrors = cache({ addressPolicy: { kind: 'public_only', alsoHosts: [] } });
    expect(errorOf(await fetchWith(mirrors, { commits: [commit] }))).toBe('address_refused');
    const named = cache({
      addressPolicy: { kind: 'public_only', alsoHosts: [] },
      resolve: async () => ['93.184.215.14', '10.0.0.1'],
    });
    const result = await named.withMirror('http://forge.example.invalid/x.git', (mirror) => mirror.remoteHead());
    expect(errorOf(result)).toBe('address_refused');
    expect(served.requests).toEqual([]);
    const allowed = cache({ addressPolicy: { kind: 'public_only', alsoHosts: ['127.0.0.1'] } });
    expect(valueOf(await fetchWith(allowed, { commits: [commit] })).askedRemote).toBe(true);
  });

  it('given an address that was judged, when git connects, then to that address whatever the name resolves to', async () => {
    source.commitAll('one');
    const config = [['http.curloptResolve', `forge.example.invalid:${served.port}:127.0.0.1`]] as const;
    const operands = [`http://forge.example.invalid:${served.port}/repository/.git`];
    const answer = await git.run({ command: 'ls-remote', operands }, { config, protocols: ['http'] });
    expect(valueOf(answer).stdout.toString()).toContain('refs/heads/main');
  });

  it('given an ssh remote, when fetched, then ssh gets a fixed list of options and the judged address', async () => {
    const bin = await places.directory();
    const proof = join(bin, 'arguments');
    await writeFile(join(bin, 'ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" > '${proof}'\nexit 255\n`);
    await chmod(join(bin, 'ssh'), 0o755);
    const withSsh = new Git({ environment: { PATH: `${bin}:${TEST_ENVIRONMENT.PATH}` } });
    const mirrors = cache({
      git: withSsh,
      allowProtocols: ['ssh'],
      addressPolicy: { kind: 'public_only', alsoHosts: [] },
      resolve: async () => ['93.184.215.14'],
      ssh: { knownHostsFile: "/etc/it's/known", identityFile: '/etc/key' },
    });
    const result = await mirrors.withMirror('git@forge.example.invalid:o/r.git', (mirror) => mirror.remoteHead());
    expect(errorOf(result)).toBe('repository_unreachable');
    const given = await readFile(proof, 'utf8');
    for (const part of ['HostName=93.184.215.14', 'HostKeyAlias=forge.example.invalid', 'BatchMode=yes']) {
      expect(given).toContain(`-o\n${part}\n`);
    }
    expect(given).toContain("UserKnownHostsFile=/etc/it's/known\n");
    expect(given).toContain("git@forge.example.invalid\ngit-upload-pack 'o/r.git'");
  });
});

describe('a mirror that was damaged', () => {
  it('given a truncated pack, when used, then it is built anew and the use is repeated', async () => {
    await source.write('a', 'x'.repeat(10_000));
    const commit = source.commitAll('one');
    const mirrors = cache();
    valueOf(await paths(mirrors, commit));
    const packs = join(new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1')).gitDir, 'objects', 'pack');
    for (const name of await readdir(packs)) {
      if (!name.endsWith('.pack')) continue;
      await chmod(join(packs, name), 0o644);
      await truncate(join(packs, name), 40);
    }
    expect(valueOf(await paths(mirrors, commit))).toEqual(['a']);
    expect(served.transfers).toBeGreaterThan(1);
  });

  it('given a lost object, when its content is read, then the mirror is built anew', async () => {
    await source.write('a', 'content');
    const commit = source.commitAll('one');
    const blob = source.git(['rev-parse', 'HEAD:a']);
    const mirrors = cache();
    valueOf(await paths(mirrors, commit));
    const { gitDir } = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    loseObject(gitDir, blob);
    let uses = 0;
    const answers = await mirrors.withMirror(url, async (mirror) => {
      uses += 1;
      const fetched = await mirror.fetch({ commits: [commit] });
      return fetched.ok ? mirror.readBlobs([blob], { maxBlobBytes: 100, maxTotalBytes: 100 }) : fetched;
    });
    expect(valueOf(answers)[0]?.kind).toBe('content');
    expect(uses).toBe(2);
  });

  it('given a directory that is no repository any more, when entered, then it is made again', async () => {
    const commit = source.commitAll('one');
    const mirrors = cache();
    valueOf(await fetchWith(mirrors, { commits: [commit] }));
    await writeFile(join(new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1')).gitDir, 'HEAD'), 'rubbish');
    expect(valueOf(await fetchWith(mirrors, { commits: [commit] })).askedRemote).toBe(true);
  });

  it('given lock files of a git that was killed, when fetched, then they are swept away', async () => {
    source.commitAll('one');
    const mirrors = cache();
    const wanted = { refs: ['refs/heads/main'] };
    valueOf(await fetchWith(mirrors, wanted));
    const { gitDir } = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    const [ref = ''] = await readdir(join(gitDir, 'refs/delta/fetched'));
    await writeFile(join(gitDir, 'refs/delta/fetched', `${ref}.lock`), '');
    await writeFile(join(gitDir, 'packed-refs.lock'), '');
    await writeFile(join(gitDir, 'objects/pack/tmp_pack_abcdef'), 'half');
    const moved = source.commitAll('two');
    expect(valueOf(await fetchWith(mirrors, wanted)).refs.get('refs/heads/main')).toBe(moved);
    expect(existsSync(join(gitDir, 'objects/pack/tmp_pack_abcdef'))).toBe(false);
  });

  it('given the lock and the marker of a process that died, when entered, then neither is in the way', async () => {
    const commit = source.commitAll('one');
    const gone = spawnSync('true').pid;
    const directory = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    valueOf(await fetchWith(cache(), { commits: [commit] }));
    const text = `${hostname()} ${gone} ${randomUUID()}\n`;
    await writeFile(directory.lockPath, text);
    await writeFile(join(directory.path, 'users', 'dead'), text);
    expect(await directory.isInUse()).toBe(false);
    expect(valueOf(await fetchWith(cache(), { commits: [commit] })).askedRemote).toBe(false);
    expect(existsSync(directory.lockPath)).toBe(false);
  });
});

/** Makes the packed objects loose and deletes one. */
function loseObject(gitDir: string, id: string): void {
  const script =
    'mkdir ../moved && mv objects/pack/* ../moved/ && for p in ../moved/*.pack; do git unpack-objects -q < "$p"; done';
  execFileSync('sh', ['-c', `${script} && rm -f "objects/${id.slice(0, 2)}/${id.slice(2)}"`], {
    cwd: gitDir,
    env: { PATH: TEST_ENVIRONMENT.PATH, GIT_DIR: gitDir },
  });
}

describe('keeping the cache small', () => {
  it('given more mirrors than allowed, when one more is used, then the one unused for longest goes, and those in use stay', async () => {
    const roots = await Promise.all([places.repository(), places.repository(), places.repository()]);
    const servers = await Promise.all(roots.map((made) => ServedRepositories.of(join(made.root, '..'))));
    const urls = servers.map((server) => server.url('repository/.git'));
    const exists = (at: number): boolean =>
      existsSync(new MirrorDirectory(cacheDirectory, mirrorKey(urls[at]!, 'sha1')).path);
    const mirrors = cache({ maxMirrors: 2 });
    const nothing = async (): Promise<GitResult<void>> => done(undefined);
    const inUse = await mirrors.withMirror(urls[0]!, async () => {
      valueOf(await mirrors.withMirror(urls[1]!, nothing));
      valueOf(await mirrors.withMirror(urls[2]!, nothing));
      return done(exists(0));
    });
    expect(valueOf(inUse)).toBe(true);
    await Promise.all(servers.map((server) => server.close()));
    expect([exists(0), exists(1), exists(2)]).toEqual([false, true, true]);
    expect((await readdir(cacheDirectory)).filter((name) => name.startsWith('.discarded'))).toEqual([]);
  });

  it('given more bytes than allowed, when another mirror is used, then the older one goes', async () => {
    await source.write('noise', Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * n * 31) % 251)));
    const commit = source.commitAll('one');
    const mirrors = cache({ maxBytes: 200 });
    valueOf(await fetchWith(mirrors, { commits: [commit] }));
    const first = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    expect(existsSync(first.path)).toBe(true);
    valueOf(await mirrors.withMirror(`${url}/`, async () => done(undefined)));
    expect(existsSync(first.path)).toBe(false);
  });

  it('given a process that never lets go of the lock, when a caller gives up, then that is the answer', async () => {
    const directory = new MirrorDirectory(cacheDirectory, mirrorKey(url, 'sha1'));
    valueOf(await cache().withMirror(url, async () => done(undefined)));
    await writeFile(directory.lockPath, `${hostname()} ${process.ppid} ${randomUUID()}\n`);
    const result = await fetchWith(cache(), { refs: ['refs/heads/main'] }, { signal: AbortSignal.timeout(120) });
    expect(errorOf(result)).toBe('git_canceled');
  });
});
