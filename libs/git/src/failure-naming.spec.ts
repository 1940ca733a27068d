import { describe, expect, it } from '@jest/globals';
import { nameFailure } from './failure-naming.ts';

describe('naming failures', () => {
  it.each([
    ["fatal: unable to access 'https://x/': Could not resolve host: x", 'repository_unreachable'],
    [
      "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused",
      'repository_unreachable',
    ],
    [
      "fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate",
      'repository_unreachable',
    ],
    ['fatal: early EOF\nfatal: fetch-pack: invalid index-pack output', 'repository_unreachable'],
    ["fatal: unable to access 'https://x/': The requested URL returned error: 503", 'repository_unreachable'],
    ["fatal: repository 'https://x/o/r/' not found", 'repository_not_found'],
    ['remote: Repository not found.\nfatal: Could not read from remote repository.', 'repository_not_found'],
    ["fatal: could not read Username for 'https://x': terminal prompts disabled", 'access_denied'],
    ["fatal: Authentication failed for 'https://x/o/r/'", 'access_denied'],
    ['git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.', 'access_denied'],
    ['Host key verification failed.\nfatal: Could not read from remote repository.', 'access_denied'],
    ["fatal: unable to access 'https://x/': The requested URL returned error: 302", 'redirect_refused'],
    ["fatal: couldn't find remote ref refs/heads/none", 'ref_not_found'],
    [`fatal: remote error: upload-pack: not our ref ${'a'.repeat(40)}`, 'commit_not_found'],
    [`error: Server does not allow request for unadvertised object ${'a'.repeat(40)}`, 'commit_not_found'],
    ["fatal: transport 'ext' not allowed", 'protocol_refused'],
    [
      `error: object ${'a'.repeat(40)}: hasDotgit: contains '.git'\nfatal: fsck error in packed object`,
      'hostile_objects',
    ],
    ['fatal: not a git repository (or any of the parent directories): .git', 'not_a_repository'],
    ["fatal: detected dubious ownership in repository at '/x'", 'unsafe_repository_owner'],
    ['fatal: this operation must be run in a work tree', 'bare_repository'],
    [
      `error: object file objects/aa/bb is empty\nfatal: loose object ${'a'.repeat(40)} is corrupt`,
      'repository_corrupt',
    ],
    ['error: packfile ./objects/pack/x.pack claims to have 3 objects while index indicates 4', 'repository_corrupt'],
    [`fatal: bad object ${'a'.repeat(40)}`, 'object_not_found'],
    ['fatal: write error: No space left on device', 'disk_full'],
    ['fatal: something new', 'git_failed'],
    ['', 'git_failed'],
  ] as const)('given %j, then it is %s', (stderr, code) => {
    expect(nameFailure(stderr)).toBe(code);
  });
});
