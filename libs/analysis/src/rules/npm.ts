import { NEARNESS, type LogRule } from './rule.ts';

/** What npm, pnpm and Yarn say when packages cannot be had. Their closing remarks about a failed script say nothing. */
export const NPM_RULES: readonly LogRule[] = [
  {
    id: 'npm-dependency-conflict',
    hints: ['ERESOLVE'],
    pattern: '^npm (?:error|ERR!) (?:code )?ERESOLVE',
    class: 'user',
    category: 'missing-dependency',
    confidence: 'high',
    precedence: NEARNESS.setup,
    headline: 'npm cannot satisfy all version ranges of the dependencies',
    explanation: 'Two packages ask for versions of a third that exclude each other, so npm installed nothing.',
    nextStep: 'Run `npm install` locally, bring the ranges npm names into agreement, and commit the new lock file.',
    confusers: ['^npm (?:warn|WARN)'],
    examples: {
      matching: ['npm error code ERESOLVE', 'npm ERR! ERESOLVE unable to resolve dependency tree'],
      notMatching: ['npm warn ERESOLVE overriding peer dependency', 'npm error code 1'],
    },
  },
  {
    id: 'npm-package-not-found',
    hints: ['E404', '404 Not Found'],
    pattern:
      "^npm (?:error|ERR!) 404 +'?(?P<name>(?:@[^/\\s]+/)?[^@\\s']+)@?[^\\s']*'? (?:is not in|could not be found)|^npm (?:error|ERR!) code E404",
    class: 'user',
    category: 'missing-dependency',
    confidence: 'high',
    precedence: NEARNESS.setup,
    headline: 'A package does not exist in the npm registry',
    explanation: 'The registry answered that it does not have a package (or version) the repository asks for.',
    nextStep:
      'Check the name and version in package.json, and whether the package is private and needs a registry or token.',
    examples: {
      matching: ['npm error code E404', 'npm ERR! code E404'],
      notMatching: ['GET /orders 404 Not Found', 'npm http fetch GET 404 https://registry.example/x'],
    },
  },
  {
    id: 'npm-lock-out-of-date',
    hints: ['EUSAGE', 'ERR_PNPM_OUTDATED_LOCKFILE', 'lockfile would have been modified', 'lock file'],
    pattern:
      '^npm (?:error|ERR!) code EUSAGE|ERR_PNPM_OUTDATED_LOCKFILE|The lockfile would have been modified by this install|are in sync\\. Please update your lock file',
    class: 'user',
    category: 'missing-dependency',
    confidence: 'high',
    precedence: NEARNESS.setup,
    headline: 'The lock file does not fit package.json',
    explanation: 'A clean install refuses to guess: package.json and the lock file name different dependencies.',
    nextStep: 'Run the install locally and commit the lock file together with package.json.',
    examples: {
      matching: ['npm error code EUSAGE', ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"'],
      notMatching: ['npm warn old lockfile', 'acquired lock file'],
    },
  },
  {
    id: 'npm-network',
    hints: ['ENOTFOUND', 'ECONNRESET', 'ETIMEDOUT', 'ECONNREFUSED', 'EAI_AGAIN', 'ERR_SOCKET_TIMEOUT'],
    pattern:
      '^npm (?:error|ERR!) (?:code |errno |network )?.*?\\b(?P<code>ENOTFOUND|ECONNRESET|ETIMEDOUT|ECONNREFUSED|EAI_AGAIN|ERR_SOCKET_TIMEOUT)\\b',
    class: 'infrastructure',
    category: 'network',
    confidence: 'high',
    precedence: NEARNESS.fetching,
    headline: 'npm could not reach its registry ({code})',
    explanation: 'The connection to the package registry failed with {code}, before anything of the repository ran.',
    nextStep:
      'Check that the job may reach the registry (its egress policy) and that the registry is up; then run it again.',
    examples: {
      matching: [
        'npm error code ENOTFOUND',
        'npm ERR! code ETIMEDOUT',
        'npm error network request failed, reason: read ECONNRESET',
      ],
      notMatching: [
        'npm error code 1',
        'npm warn retry fetch failed: ECONNRESET',
        'Error: connect ECONNREFUSED 127.0.0.1:5432',
      ],
    },
  },
  {
    id: 'npm-integrity',
    hints: ['EINTEGRITY'],
    pattern: '^npm (?:error|ERR!) code EINTEGRITY',
    class: 'tooling',
    category: 'corrupt-cache',
    confidence: 'medium',
    precedence: NEARNESS.fetching,
    headline: 'A downloaded package is not the one the lock file names',
    explanation:
      'The checksum of a package differs from the lock file: a corrupt cache, or a package that was changed.',
    nextStep: 'Clear the cache of the job and run it again; if it stays, compare the lock file with the registry.',
    examples: {
      matching: ['npm error code EINTEGRITY'],
      notMatching: ['npm error code 1', 'checking EINTEGRITY handling'],
    },
  },
  {
    id: 'npm-missing-script',
    hints: ['issing script'],
    pattern: '^npm (?:error|ERR!) Missing script: "?(?P<name>[^"]+)"?',
    class: 'tooling',
    category: 'bad-config',
    confidence: 'high',
    precedence: NEARNESS.tool,
    headline: 'There is no script “{name}” in package.json',
    explanation: 'npm was asked to run the script “{name}”, which package.json does not have.',
    nextStep: 'Add the script, or take it out of what the job runs.',
    examples: {
      matching: ['npm error Missing script: "test"', 'npm ERR! Missing script: "build"'],
      notMatching: ['Missing scripts are listed below', 'npm error code 1'],
    },
  },
];
