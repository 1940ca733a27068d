import { devNull } from 'node:os';

/** A setting given to git for one command, as `[name, value]`. */
export type ConfigSetting = readonly [name: string, value: string];

/** How git may reach other repositories. */
export type Protocol = 'https' | 'ssh' | 'http' | 'file';

/** The protocols nobody has to ask for: encrypted, and unable to name a place on this machine's disk. */
export const DEFAULT_PROTOCOLS: readonly Protocol[] = ['https', 'ssh'];

/**
 * Faults that histories of real projects contain, made by old tools and harmless here. Everything else that git's check
 * refuses stays refused: `.git` or `..` as a name, duplicate entries, hostile `.gitmodules` and the like.
 */
const TOLERATED_FAULTS = [
  'badDate',
  'badEmail',
  'badTimezone',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTaggerEntry',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
] as const;

/**
 * Settings that hold for every command. They outrank the repository's own configuration file,
 * which on a stranger's repository is as hostile as its content.
 */
const HYGIENE_SETTINGS: readonly ConfigSetting[] = [
  // Programs that git would start on its own.
  ['core.hooksPath', devNull],
  ['core.fsmonitor', 'false'],
  ['core.pager', 'cat'],
  ['core.editor', 'false'],
  ['core.askPass', ''],
  ['core.sshCommand', 'ssh'],
  ['core.gitProxy', ''],
  ['core.alternateRefsCommand', ''],
  ['credential.helper', ''],
  ['diff.external', ''],
  ['log.showSignature', 'false'],
  ['gpg.program', 'false'],
  ['maintenance.auto', 'false'],
  ['gc.auto', '0'],
  ['gc.autoDetach', 'false'],
  // Files outside the repository.
  ['core.attributesFile', devNull],
  ['core.excludesFile', devNull],
  // Output as bytes, without decoration.
  ['core.quotePath', 'false'],
  ['color.ui', 'false'],
  ['advice.detachedHead', 'false'],
  // Names that a file system would take for `.git`, whatever file system this is.
  ['core.protectNTFS', 'true'],
  ['core.protectHFS', 'true'],
  // What we take from others is checked on arrival, and submodules are never entered.
  ['transfer.fsckObjects', 'true'],
  ...TOLERATED_FAULTS.map((fault): ConfigSetting => [`fetch.fsck.${fault}`, 'warn']),
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  // A redirect could lead to an address that was never checked.
  ['http.followRedirects', 'false'],
  ['protocol.version', '2'],
];

/** What passes from our own environment to git: where programs and certificates are, how to reach the network. */
const INHERITED = [
  'PATH',
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_EXEC_PATH',
  'SSH_AUTH_SOCK',
  'HTTPS_PROXY',
  'https_proxy',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
];

export type Environment = Readonly<Record<string, string | undefined>>;

export interface HygieneOptions {
  /** The environment to inherit from; only a short list of names passes. */
  readonly inherited: Environment;
  readonly gitDir?: string;
  readonly workTree?: string;
  readonly indexFile?: string;
  /** Protocols this command may use; none for whatever reads locally. */
  readonly protocols: readonly Protocol[];
  /** Settings of this command, after (so: above) the hygiene settings. */
  readonly config: readonly ConfigSetting[];
  /**
   * `ours` shuts out the user's and the machine's configuration. `users` lets it in and leaves ours out: only for commands
   * that read settings as data or look for a repository, neither of which starts a program.
   */
  readonly configuration: 'ours' | 'users';
}

/** Neither the machine's nor any user's configuration, nor what else lies in a home directory (`.netrc`, `.ssh`). */
const OUR_CONFIGURATION = { HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: devNull };

/** Where git finds the user's configuration. */
const USERS_CONFIGURATION = [
  'HOME',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'GIT_CONFIG_SYSTEM',
  'GIT_CONFIG_NOSYSTEM',
];

/** Those of the named variables that have a value, and nothing else of our environment. */
function inherit(environment: Environment, names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = environment[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  return kept;
}

/** Settings as variables: unlike `-c` they are invisible to other users of the machine, so they may carry credentials. */
function settingsAsVariables(settings: readonly ConfigSetting[]): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) };
  settings.forEach(([name, value], index) => {
    variables[`GIT_CONFIG_KEY_${index}`] = name;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return variables;
}

/** The whole environment of one git command: built from nothing, so that what is not named here cannot reach git. */
export function hygienicEnvironment(options: HygieneOptions): Record<string, string> {
  const places: Record<string, string> = {};
  if (options.gitDir !== undefined) places['GIT_DIR'] = options.gitDir;
  if (options.workTree !== undefined) places['GIT_WORK_TREE'] = options.workTree;
  if (options.indexFile !== undefined) places['GIT_INDEX_FILE'] = options.indexFile;
  const ours = options.configuration === 'ours';
  return {
    ...inherit(options.inherited, INHERITED),
    ...(ours ? settingsAsVariables([...HYGIENE_SETTINGS, ...options.config]) : {}),
    ...(ours ? OUR_CONFIGURATION : inherit(options.inherited, USERS_CONFIGURATION)),
    ...places,
    LC_ALL: 'C',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOW_PROTOCOL: options.protocols.length === 0 ? 'none' : options.protocols.join(':'),
  };
}
