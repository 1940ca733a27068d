import { z } from 'zod';
import { rootOf, type OracleAnswer } from '../comparison/answer.ts';
import { lacking, type Oracle } from './oracle.ts';
import { parsedAnswer } from './parsed-answer.ts';

export const turbo: Oracle = {
  name: 'turbo',
  asks: '`turbo ls --affected` and `turbo query`',
  program: 'turbo',
  lacks: lacking('turbo.json', 'package.json'),
  script: () => `export TURBO_TELEMETRY_DISABLED=1 TURBO_SCM_BASE="$BASE" TURBO_SCM_HEAD="$COMMIT" DO_NOT_TRACK=1
node "$TURBO" --skip-infer ls --affected --output=json > ../affected.json
node "$TURBO" --skip-infer query 'query { packages { items { path directDependencies { items { path } } } } }' > ../graph.json
printf '{"affected":'; cat ../affected.json; printf ',"graph":'; cat ../graph.json; printf '}'
`,
  comparesAnswers: false,
  read: (output) => readTurbo(output),
};

const Answer = z.object({
  affected: z.object({ packages: z.object({ items: z.array(z.object({ path: z.string() })) }) }),
  graph: z.object({
    data: z.object({
      packages: z.object({
        items: z.array(
          z.object({
            path: z.string(),
            directDependencies: z.object({ items: z.array(z.object({ path: z.string() })) }),
          }),
        ),
      }),
    }),
  }),
});

function readTurbo(output: string): OracleAnswer {
  const { affected, graph } = parsedAnswer('turbo', Answer, output);
  const packages = graph.data.packages.items;
  return {
    units: packages.map(({ path }) => rootOf(path)),
    affected: affected.packages.items.map(({ path }) => rootOf(path)),
    edges: packages.flatMap(({ path, directDependencies }) =>
      directDependencies.items
        .map((dependency) => ({ from: rootOf(path), to: rootOf(dependency.path), passesOn: true }))
        .filter(({ from, to }) => from !== to),
    ),
    unknown: 0,
  };
}
