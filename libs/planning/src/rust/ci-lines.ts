/** What workflows of a repository run cargo for: evidence of linters and features that no manifest names. */

export interface CargoLine {
  readonly tool: 'test' | 'clippy' | 'fmt';
  readonly words: readonly string[];
  /** The workflow it stands in. */
  readonly path: string;
  /** Whether it asks for another toolchain than the repository's. */
  readonly otherToolchain: boolean;
  /** Whether tests are run by cargo-nextest. */
  readonly byNextest: boolean;
}

const WORKFLOW = /^(?:\.github\/workflows\/[^/]+\.ya?ml|\.gitlab-ci\.ya?ml)$/u;

export function isWorkflow(path: string): boolean {
  return WORKFLOW.test(path);
}

/** Workflows of any repository are small; what is longer is no evidence. */
const LENGTH_MAX = 500_000;

const TOOLS: Readonly<Record<string, CargoLine['tool']>> = {
  test: 'test',
  nextest: 'test',
  clippy: 'clippy',
  fmt: 'fmt',
};

/** Every line of a workflow in which cargo tests, lints or formats, in order. */
export function cargoLinesOf(path: string, text: string): CargoLine[] {
  if (text.length > LENGTH_MAX) return [];
  return text.split('\n').flatMap((line): CargoLine[] => {
    const words = line.split('#', 1)[0]?.split(/[\s"'`;&|]+/u) ?? [];
    const at = words.indexOf('cargo');
    if (at < 0) return [];
    const further = words.slice(at + 1).filter((word) => word !== '');
    const otherToolchain = further[0]?.startsWith('+') === true || /nightly|miri/iu.test(line);
    const [verb = '', ...rest] = further[0]?.startsWith('+') === true ? further.slice(1) : further;
    const tool = Object.hasOwn(TOOLS, verb) ? TOOLS[verb] : undefined;
    return tool === undefined
      ? []
      : [{ tool, words: rest, path, otherToolchain, byNextest: verb === 'nextest' && rest[0] === 'run' }];
  });
}

/** Features that a line names, `--all-features` among them; what a variable stands for is not known, so none then. */
export function featuresOf({ words }: CargoLine): string[] {
  if (words.includes('--all-features')) return ['--all-features'];
  const named = words.flatMap((word, at) => {
    const inOne = word.startsWith('--features=') ? word.slice('--features='.length) : '';
    return (words[at - 1] === '--features' ? word : inOne).split(',').filter((name) => name !== '');
  });
  return named.every((name) => /^[\w/+-]+$/u.test(name)) ? named : [];
}
