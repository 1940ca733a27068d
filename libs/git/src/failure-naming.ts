import type { GitErrorCode } from './git-error.ts';

/**
 * What git's own words mean, most specific first: git gives one exit code (128) for nearly everything.
 * Matched against untranslated messages (`LC_ALL=C`) of git 2.32 to 2.50.
 */
const PHRASES: readonly (readonly [RegExp, GitErrorCode])[] = [
  [/No space left on device|Disk quota exceeded/u, 'disk_full'],
  [/transport '[^']*' not allowed/u, 'protocol_refused'],
  // A partial clone, of which the object was left out; it is never fetched behind the reader's back.
  [/could not fetch \S+ from promisor remote|lazy fetching disabled/u, 'object_not_found'],
  [/dubious ownership|unsafe repository/u, 'unsafe_repository_owner'],
  [/must be run in a work tree/u, 'bare_repository'],
  [/fsck error|error: object [0-9a-f]+: \w+: /u, 'hostile_objects'],
  [/requested URL returned error: 30\d|unable to update url base from redirection/u, 'redirect_refused'],
  [
    /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied \(|Host key verification failed|requested URL returned error: 40[13]/u,
    'access_denied',
  ],
  [
    /requested URL returned error: 404|repository '[^']*' not found|Repository not found|repository does not exist/iu,
    'repository_not_found',
  ],
  [/couldn't find remote ref|Remote branch \S+ not found/iu, 'ref_not_found'],
  [/not our ref|unadvertised object|no such remote object/u, 'commit_not_found'],
  [
    /Could not resolve host|Failed to connect|Couldn't connect|Connection (?:refused|reset|timed out)|Network is unreachable|No route to host|Operation timed out|early EOF|hung up unexpectedly|requested URL returned error: (?:429|5\d\d)|RPC failed|SSL|TLS|certificate|Empty reply from server|Could not resolve hostname|banner exchange|kex_exchange/u,
    'repository_unreachable',
  ],
  [/not a git repository|does not appear to be a git repository/u, 'not_a_repository'],
  [
    /is corrupt|object file \S+ is empty|packfile \S+ (?:cannot be accessed|is|claims)|index file \S+ is too small|inflate: |failed to read delta|bad (?:tree|commit|blob|packed) ?object|missing (?:blob|tree|commit|necessary) ?object|unable to (?:read tree|read sha1 file|unpack|parse)|did not send all necessary objects|bad object refs\/|invalid sha1 pointer|bad config (?:line|file)|unresolved deltas|Could not read [0-9a-f]{40}|could not read .*reference|broken ref/u,
    'repository_corrupt',
  ],
  [
    /Not a valid (?:object|commit) name|bad revision|unknown revision|Needed a single revision|bad object|ambiguous argument|not a tree object|failed to unpack tree object|could not get object info/u,
    'object_not_found',
  ],
  [/[Ii]nvalid path/u, 'invalid_path'],
  [/Could not read from remote repository|unable to access/u, 'repository_unreachable'],
];

/** Names a failure from what git wrote to its error stream. */
export function nameFailure(stderr: string): GitErrorCode {
  for (const [phrase, code] of PHRASES) if (phrase.test(stderr)) return code;
  return 'git_failed';
}
