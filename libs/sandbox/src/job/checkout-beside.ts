import { SOURCE_LAYOUT, type SourceRequest } from '@delta-ci/contracts';

const { submodules, lfsFiles, lfsObjects } = SOURCE_LAYOUT;

/** Puts objects of Git LFS where their pointers are, in the checkout of the repository `$1`. */
const FILL_IN_LFS = [
  'fill_in() {',
  '  while IFS= read -r line; do',
  '    path=${line#* }',
  '    if [ -L "$path" ] || [ ! -f "$path" ]; then echo "$path is no file of the checkout" >&2; exit 1; fi',
  `    cat "$source/${lfsObjects}/\${line%% *}" > "$path"`,
  `  done < "$1/${lfsFiles}"`,
  // Without a filter git would call each of them changed.
  `  cut -d ' ' -f 2- "$1/${lfsFiles}" | tr '\\n' '\\0' | git update-index -z --assume-unchanged --stdin`,
  '}',
];

interface Parts {
  /** Commands that make an empty repository in the working directory. */
  readonly repository: readonly string[];
  /** What checks out a commit that is appended. */
  readonly checkout: string;
}

/**
 * The end of the checkout's script, for a job that asks for more than the files of its commit: submodules, each a repository
 * of its own at exactly the commit that the tree names, and files of Git LFS. A place that a link leads to is refused.
 */
export function besideScript(sourceSeenAs: string, request: SourceRequest, { repository, checkout }: Parts): string[] {
  const lfs = request.lfs === true;
  const lines = [`source='${sourceSeenAs}'`, 'root=$(pwd -P)', ...(lfs ? [...FILL_IN_LFS, 'fill_in "$source"'] : [])];
  if (request.submodules === undefined) return lines;
  return [
    ...lines,
    // Git then takes those that are there for what they are, and not for such as nobody has set up.
    String.raw`printf '[submodule]\n\tactive = .\n' >> "$root/.git/config"`,
    'while IFS= read -r entry; do',
    '  depth=${entry%% *}; entry=${entry#* }; commit=${entry%% *}; entry=${entry#* }',
    '  repository=$source/${entry%% *}; place=${entry#* }',
    ...(request.submodules === 'direct' ? ['  if [ "$depth" != 1 ]; then continue; fi'] : []),
    '  cd "$root/$place"',
    '  if [ "$(pwd -P)" != "$root/$place" ]; then echo "$place is reached by a link" >&2; exit 1; fi',
    ...repository.map((command) => `  ${command}`),
    '  cat "$root/.git/config" > .git/config',
    '  echo "$repository/objects" > .git/objects/info/alternates',
    '  if [ -f "$repository/shallow" ]; then cat "$repository/shallow" > .git/shallow; fi',
    `  ${checkout} "$commit"`,
    ...(lfs ? ['  fill_in "$repository"'] : []),
    `done < "$source/${submodules}"`,
  ];
}
