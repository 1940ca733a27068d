import { literalPattern } from '../glob.ts';
import { readCompose, type ComposeFile } from '../images/compose.ts';
import { ignoredGlobs, readDockerfile, type Dockerfile } from '../images/dockerfile.ts';
import type { DeclaredInput, Discovery, DiscoveryProblem, Unit, UnitEdge } from '../model.ts';
import type { RepositoryView } from '../tracing/repository-view.ts';
import { plainUnit } from '../plain-unit.ts';
import { fileNameOf, folderOf, foldersUpwards, inFolder, resolvePath } from '../tree-paths.ts';
import type { Detector } from './detector.ts';

/**
 * Images and services, as Dockerfiles and compose files describe them: what they are made of, so that it can be said what
 * a change concerns. They have no jobs, since to build or to start them takes an engine, which no sandbox has.
 */
export const dockerDetector: Detector = {
  ecosystem: 'docker',
  lookedFor: 'Dockerfile or compose file (to say what a change concerns; images are not built)',
  wants: (path) => isDockerfile(path) || isCompose(path) || path.endsWith('.dockerignore'),
  condense: null,
  detect,
};

const NOT_OURS = /(?:^|\/)(?:node_modules|vendor|fixtures?|testdata|templates?|\.devcontainer|\.github)\//u;

function isDockerfile(path: string): boolean {
  return (
    /^(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.Dockerfile$/u.test(fileNameOf(path)) &&
    !path.endsWith('.dockerignore') &&
    !NOT_OURS.test(path)
  );
}

function isCompose(path: string): boolean {
  return /^(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml$/u.test(fileNameOf(path)) && !NOT_OURS.test(path);
}

interface Facts {
  readonly snapshot: RepositoryView;
  readonly images: ReadonlyMap<string, Dockerfile>;
  readonly stacks: ReadonlyMap<string, ComposeFile>;
}

function detect(snapshot: RepositoryView): Discovery {
  const images = new Map<string, Dockerfile>();
  const stacks = new Map<string, ComposeFile>();
  for (const [path, text] of snapshot.texts(isDockerfile)) images.set(path, readDockerfile(text));
  for (const [path, text] of snapshot.texts(isCompose)) {
    const stack = readCompose(text, folderOf(path));
    if (stack !== null) stacks.set(path, stack);
  }
  const facts: Facts = { snapshot, images, stacks };
  const units = [
    ...[...images].map(([path, image]) => unitOf(path, image.meaning, imageInputs(path, image, facts))),
    ...[...stacks].map(([path, stack]) => unitOf(path, stack.meaning, stackInputs(path, stack))),
  ].sort((one, other) => (one.id < other.id ? -1 : 1));
  return { units, edges: edgesOf(facts), problems: notBuilt(units) };
}

function notBuilt(units: readonly Unit[]): DiscoveryProblem[] {
  const [first] = units;
  if (first === undefined) return [];
  const what = units.length === 1 ? first.id : `${first.id} and ${units.length - 1} more`;
  const message = `images and services of ${what} are not built or started: that takes an engine for containers, which no job has`;
  return [{ code: 'images_not_built', message, severity: 'info', path: null, scope: '.' }];
}

/** Its root is the file itself: what lies around it belongs to whomever it belonged to without it. */
function unitOf(path: string, meaning: string, inputs: readonly DeclaredInput[]): Unit {
  return {
    ...plainUnit({ root: path, ecosystem: 'docker', manifest: path }),
    meaning,
    inputs,
  };
}

/** Where an image is built: as compose files have it, else the nearest folder upwards that has all it takes from there. */
function contextsOf(path: string, { sources }: Dockerfile, { snapshot, stacks }: Facts): string[] {
  const said = [...stacks.values()].flatMap(({ builds }) =>
    builds.flatMap(({ dockerfile, context }) => (dockerfile === path ? [context] : [])),
  );
  if (said.length > 0) return [...new Set(said)];
  const literal = sources.filter((source) => !/[*?[]/u.test(source));
  const has = (folder: string): boolean =>
    literal.every((source) => {
      const at = resolvePath(folder, source);
      return at !== null && (at === '.' || snapshot.places.has(at));
    });
  return [foldersUpwards(folderOf(path)).find(has) ?? '.'];
}

function imageInputs(path: string, image: Dockerfile, facts: Facts): DeclaredInput[] {
  const { snapshot } = facts;
  return contextsOf(path, image, facts).flatMap((context): DeclaredInput[] => {
    const taken = image.sources.flatMap((source) => {
      const at = resolvePath(context, source);
      return at === null ? [] : at === '.' ? ['**'] : [at, `${at}/**`];
    });
    if (taken.length === 0) return [];
    const file = [`${path}.dockerignore`, inFolder(context, '.dockerignore')].find((each) =>
      snapshot.contents.has(each),
    );
    const ignored =
      file === undefined ? [] : [...ignoredGlobs(snapshot.contents.get(file) ?? '', context), literalPattern(file)];
    const paths = [...new Set(taken), ...ignored, `!${literalPattern(path)}`];
    return [{ paths, kinds: 'all', also: true, evidence: `${path} takes it into its image` }];
  });
}

function stackInputs(path: string, { files }: ComposeFile): DeclaredInput[] {
  const paths = files
    .filter((file) => file !== '.' && file !== path)
    .flatMap((file) => [literalPattern(file), `${literalPattern(file)}/**`]);
  return paths.length === 0 ? [] : [{ paths, kinds: 'all', also: true, evidence: `${path} gives it to a service` }];
}

/** Services need the images they are built as, and images those of the repository that they begin with. */
function edgesOf({ images, stacks }: Facts): UnitEdge[] {
  const named = new Map<string, string>();
  for (const { builds } of stacks.values())
    for (const { image, dockerfile } of builds)
      if (image !== null && images.has(dockerfile)) named.set(image, dockerfile);
  const services = [...stacks].flatMap(([from, { builds }]) =>
    builds.flatMap(({ dockerfile }): UnitEdge[] =>
      images.has(dockerfile)
        ? [{ from, to: dockerfile, kind: 'production', evidence: `a service of ${from} is built from it` }]
        : [],
    ),
  );
  const begun = [...images].flatMap(([from, { bases }]) =>
    bases.flatMap((base): UnitEdge[] => {
      const to = named.get(base);
      return to === undefined || to === from ? [] : [{ from, to, kind: 'build', evidence: `FROM ${base} in ${from}` }];
    }),
  );
  return [...services, ...begun];
}
