import { z } from 'zod';
import { ownerAmong, reachedFrom, type OracleAnswer } from '../comparison/answer.ts';
import { folderInClone, lacking, type Oracle, type Question } from './oracle.ts';
import { parsedAnswer } from './parsed-answer.ts';

/**
 * Cargo knows packages and what they depend on; what a change reaches follows from that: packages in which a file changed or of
 * which `cargo metadata` says something else than before, and what depends on them. What only tests need passes nothing on.
 */
export const cargo: Oracle = {
  name: 'cargo',
  asks: '`cargo metadata --no-deps`, of each commit and the one before',
  program: 'cargo',
  lacks: lacking('Cargo.toml'),
  script: () => '"$CARGO" metadata --format-version 1 --no-deps --offline\n',
  comparesAnswers: true,
  read: (output, before, question) => readCargo(output, before, question),
};

const Answer = z.object({
  packages: z.array(
    z.looseObject({
      manifest_path: z.string(),
      dependencies: z.array(z.looseObject({ kind: z.string().nullable(), path: z.string().optional() })),
    }),
  ),
});
type Package = z.infer<typeof Answer>['packages'][number];

/** What Cargo says of a package that no build reads. */
const WORDS = new Set([
  'version',
  'id',
  'description',
  'authors',
  'categories',
  'keywords',
  'readme',
  'repository',
  'homepage',
  'documentation',
  'license',
  'license_file',
  'publish',
]);

function readCargo(output: string, before: string | null, { changed }: Question): OracleAnswer {
  const packages = packagesIn(output);
  const earlier = before === null ? new Map<string, Package>() : packagesIn(before);
  const units = new Set(packages.keys());
  const edges = [...packages].flatMap(([from, { dependencies }]) =>
    dependencies.flatMap(({ kind, path }) =>
      path === undefined ? [] : [{ from, to: folderInClone(path), passesOn: kind !== 'dev' }],
    ),
  );
  const places = changed.flatMap(({ path, oldPath }) => [path, ...(oldPath === undefined ? [] : [oldPath])]);
  const owners = places.map((path) => ownerAmong(units, path)).filter((owner) => owner !== null);
  const differing = [...packages]
    .filter(([root, described]) => meaningOf(described) !== meaningOf(earlier.get(root)))
    .map(([root]) => root);
  return {
    units: [...units],
    affected: [...reachedFrom({ made: [...owners, ...differing], tested: [] }, edges)],
    edges,
    unknown: 0,
  };
}

function packagesIn(output: string): Map<string, Package> {
  const { packages } = parsedAnswer('cargo', Answer, output);
  return new Map(packages.map((each) => [folderInClone(each.manifest_path.replace(/\/[^/]+$/u, '')), each]));
}

function meaningOf(described: Package | undefined): string {
  return JSON.stringify(Object.entries(described ?? {}).filter(([name]) => !WORDS.has(name)));
}
