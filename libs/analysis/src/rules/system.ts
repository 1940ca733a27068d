import { NEARNESS, type LogRule } from './rule.ts';

/** What shells, the kernel and Git say. */
export const SYSTEM_RULES: readonly LogRule[] = [
  {
    id: 'disk-full',
    hints: ['ENOSPC', 'No space left', 'no space left'],
    pattern: '(?:\\bENOSPC\\b|[Nn]o space left on device)',
    class: 'infrastructure',
    category: 'disk',
    confidence: 'high',
    precedence: NEARNESS.machine + 5,
    headline: 'The disk of the job is full',
    explanation: 'Something could not be written because no space was left on the device.',
    nextStep: 'Look at what the job writes; if it needs that much, raise disk under limits: of delta.yaml.',
    confusers: ['ENOSPC: System limit for number of file watchers'],
    examples: {
      matching: [
        'npm error code ENOSPC',
        'write /tmp/x: no space left on device',
        'tar: a: Cannot write: No space left on device',
      ],
      notMatching: ['Error: ENOSPC: System limit for number of file watchers reached', 'df: space left: 3 GB'],
    },
  },
  {
    id: 'out-of-processes',
    hints: ['annot fork', 'emporarily unavailable', "can't start new thread", 'OS thread', 'native thread', 'EAGAIN'],
    pattern:
      "(?:[Cc]annot fork\\b|\\bfork: (?:retry: )?(?:[Rr]esource temporarily unavailable|Cannot allocate memory)|can't start new thread|failed to create new OS thread|unable to create (?:new )?native thread|\\bspawn \\S+ EAGAIN\\b)",
    class: 'user',
    category: 'out-of-processes',
    confidence: 'high',
    precedence: NEARNESS.machine + 2,
    headline: 'The job could not start another process or thread',
    explanation: 'Something of the step was denied another process or thread: the job has as many as it may have.',
    nextStep:
      'Look for what starts processes or threads without end, or have the step do less at once. A job has 512 together, and delta.yaml has no key for more.',
    examples: {
      matching: [
        '/bin/sh: 0: Cannot fork',
        'bash: fork: retry: Resource temporarily unavailable',
        "RuntimeError: can't start new thread",
        'runtime: failed to create new OS thread (have 9 already; errno=11)',
        'java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached',
        'Error: spawn node EAGAIN',
      ],
      notMatching: ['you cannot forkify this', 'read: Resource temporarily unavailable', '✔ retries after EAGAIN'],
    },
  },
  {
    id: 'out-of-memory',
    hints: ['MemoryError', 'bad_alloc', 'annot allocate memory', 'OutOfMemoryError', 'out of memory'],
    pattern:
      '^\\s*(?:(?:E\\s+)?MemoryError(?:: .*)?|terminate called after throwing an instance of .std::bad_alloc.|(?:\\S+: )*(?:[Cc]annot allocate memory|out of memory)|(?:fatal error|FATAL ERROR|fatal): (?:runtime: )?[Oo]ut of memory\\b.*|(?:Exception in thread .* |Caused by: )?java\\.lang\\.OutOfMemoryError: (?:Java heap space|GC overhead limit exceeded|Metaspace).*)$',
    class: 'user',
    category: 'out-of-memory',
    confidence: 'high',
    precedence: NEARNESS.machine + 1,
    headline: 'A program of the job ran out of memory',
    explanation: 'A program of the step asked for more memory and was denied it.',
    nextStep:
      'Look for what keeps growing; if the work is just large, run less of it at once, or raise memory under limits: of delta.yaml.',
    examples: {
      matching: [
        'MemoryError',
        'E   MemoryError: Unable to allocate 8.00 GiB for an array',
        "terminate called after throwing an instance of 'std::bad_alloc'",
        'fatal error: runtime: out of memory',
        'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        'tar: a: Cannot allocate memory',
      ],
      notMatching: [
        'except MemoryError:',
        'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
        '✔ survives being out of memory',
      ],
    },
  },
  {
    id: 'command-not-found',
    hints: ['not found', 'No such file or directory'],
    pattern:
      "^(?:(?:/bin/)?(?:sh|bash|dash|zsh)(?:: line [0-9]+|: [0-9]+)?: (?P<name>[^\\s:']+): (?:command )?not found|env: [‘'](?P<name2>[^’']+)[’']: No such file or directory)$",
    class: 'tooling',
    category: 'command-not-found',
    confidence: 'high',
    precedence: NEARNESS.tool,
    headline: 'The command “{name}” is not there',
    explanation: 'The shell looked for “{name}” and did not find it, so nothing of that step ran.',
    nextStep: 'Install it in a step before (or as a dependency), or choose a pool that offers it.',
    exitCodes: [1, 2, 126, 127],
    examples: {
      matching: [
        'sh: 1: jest: not found',
        'bash: line 3: cargo: command not found',
        'sh: tsc: not found',
        'env: ‘python’: No such file or directory',
      ],
      notMatching: [
        'Error: user not found',
        '✔ answers command not found',
        'cat: notes.txt: No such file or directory',
      ],
    },
  },
  {
    id: 'permission-denied',
    hints: ['EACCES', 'ermission denied', 'EPERM'],
    pattern:
      '(?:^(?:/bin/)?(?:sh|bash)(?:: line [0-9]+|: [0-9]+)?: (?P<name>[^\\s:]+): Permission denied|\\b(?P<code>EACCES|EPERM): (?:permission denied|operation not permitted))',
    class: 'tooling',
    category: 'permission',
    confidence: 'medium',
    precedence: NEARNESS.tool - 1,
    headline: 'Something may not be read, written or executed',
    explanation: 'The step was refused access to a file: it is not executable, or lies outside what a job may touch.',
    nextStep:
      'For a script: commit it with its executable bit. For a path: write inside the workspace or the temporary directory.',
    examples: {
      matching: ['sh: 1: ./build.sh: Permission denied', "Error: EACCES: permission denied, open '/etc/hosts'"],
      notMatching: ['✔ a stranger gets permission denied', 'git@example.invalid: Permission denied (publickey).'],
    },
  },
  {
    id: 'git-failure',
    hints: ['fatal: '],
    pattern:
      "^fatal: (?P<message>(?:unable to access|could not read|repository|not a git repository|[Aa]uthentication failed|refusing to merge|bad revision|ambiguous argument|couldn't find remote ref|Could not read from remote).*)$",
    class: 'tooling',
    category: 'git',
    confidence: 'medium',
    precedence: NEARNESS.setup,
    headline: 'Git failed: {message}',
    explanation: 'A Git command of the step ended with: {message}',
    nextStep: 'Jobs get the tree of one change without credentials or history: check whether the step needs either.',
    examples: {
      matching: [
        'fatal: not a git repository (or any of the parent directories): .git',
        "fatal: couldn't find remote ref release",
      ],
      notMatching: ['fatal: the cart is empty', 'not fatal: repository skipped'],
    },
  },
  {
    id: 'name-resolution',
    hints: ['getaddrinfo', 'ould not resolve host', 'emporary failure in name resolution', 'no such host'],
    pattern:
      '(?:getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|[Cc]ould not resolve host|[Tt]emporary failure in name resolution|lookup \\S+: no such host)',
    class: 'infrastructure',
    category: 'network',
    confidence: 'medium',
    precedence: NEARNESS.assertion - 5,
    headline: 'A host name could not be resolved',
    explanation: 'The step asked for a host by name and got no address.',
    nextStep: 'Jobs have no network unless their policy says so: allow the host, or do without it.',
    examples: {
      matching: [
        'Error: getaddrinfo ENOTFOUND api.example.invalid',
        'curl: (6) Could not resolve host: api.example.invalid',
      ],
      notMatching: ['resolved host in 3 ms', 'ENOTFOUND is handled'],
    },
  },
  {
    id: 'segmentation-fault',
    hints: ['egmentation fault', 'SIGSEGV', 'core dumped', 'ore dumped'],
    pattern: '(?:[Ss]egmentation fault|signal SIGSEGV|SIGSEGV: segmentation violation)',
    class: 'user',
    category: 'crash',
    confidence: 'medium',
    precedence: NEARNESS.crash + 10,
    headline: 'A program crashed with a segmentation fault',
    explanation: 'A program touched memory that is not its own; native code is involved.',
    nextStep: 'Find the native module or binary named nearby, and check that it fits the platform and runtime version.',
    examples: {
      matching: ['Segmentation fault (core dumped)', '[signal SIGSEGV: segmentation violation code=0x1 addr=0x0]'],
      notMatching: ['✔ survives a segmentation fault', 'segment uploaded'],
    },
  },
  {
    id: 'timeout-in-log',
    hints: ['imeout', 'imed out'],
    pattern:
      '(?:Exceeded timeout of (?P<ms>[0-9]+) ?ms|Timeout of (?P<ms2>[0-9]+)ms exceeded|panic: test timed out after (?P<ms3>\\S+)|[Tt]est timed out (?:after|in) (?P<ms4>[0-9]+ ?m?s))',
    class: 'user',
    category: 'timeout',
    confidence: 'medium',
    precedence: NEARNESS.test + 3,
    headline: 'A test did not finish in time',
    explanation: 'The test runner gave up waiting for a test.',
    nextStep: 'Look for something the test waits for that never comes: an open handle, a promise nobody settles.',
    examples: {
      matching: [
        'thrown: "Exceeded timeout of 5000 ms for a test.',
        'Error: Timeout of 2000ms exceeded. For async tests',
        'panic: test timed out after 10m0s',
      ],
      notMatching: ['timeout: 5000', '✔ a timed out request is retried'],
    },
  },
  {
    id: 'assertion',
    hints: ['ssert'],
    pattern:
      '^\\s*(?:E\\s+)?(?:Uncaught )?(?:AssertionError|java\\.lang\\.AssertionError|Assertion failed)(?: \\[[A-Z_]+\\])?:? ?(?P<message>.*)$',
    class: 'user',
    category: 'test',
    confidence: 'medium',
    precedence: NEARNESS.assertion,
    headline: 'An assertion did not hold',
    explanation: 'A check in the code or its tests failed: {message}',
    nextStep: 'Compare what was expected with what came, a few lines below.',
    examples: {
      matching: [
        'AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
        'E   AssertionError: assert 3 == 4',
      ],
      notMatching: ['3 assertions passed', "import assert from 'node:assert'"],
    },
  },
];
