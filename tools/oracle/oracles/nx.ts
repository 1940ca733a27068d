import { z } from 'zod';
import { rootOf, type OracleAnswer } from '../comparison/answer.ts';
import { lacking, quoted, UnreadableAnswer, type Oracle } from './oracle.ts';
import { parsedAnswer } from './parsed-answer.ts';

/**
 * Plugins are programs of the repository's installed packages, which are not there: without them Nx finds the projects that
 * package.json and project.json files declare, and joins them by what they depend on and what their sources import.
 */
const WITHOUT_PLUGINS = `const fs = require('fs');
const { nxCloudId, nxCloudUrl, nxCloudAccessToken, tasksRunnerOptions, ...settings } = JSON.parse(fs.readFileSync('nx.json', 'utf8'));
fs.writeFileSync('nx.json', JSON.stringify({ ...settings, plugins: [], analytics: false }));`;

export const nx: Oracle = {
  name: 'nx',
  asks: '`nx show projects --affected` and `nx graph`, without plugins',
  program: 'nx',
  lacks: lacking('nx.json'),
  script: () => `ln -sfn "$PEERS" node_modules
node -e ${quoted(WITHOUT_PLUGINS)}
export NX_DAEMON=false NX_NO_CLOUD=true NX_ISOLATE_PLUGINS=false NX_TUI=false CI=true
node "$NX" show projects --affected --base "$BASE" --head "$COMMIT" --json > ../affected.json
node "$NX" graph --file=/workspace/graph.json > ../said.txt
printf '{"affected":'; cat ../affected.json; printf ',"graph":'; cat ../graph.json; printf '}'
`,
  comparesAnswers: false,
  read: (output) => readNx(output),
};

const Answer = z.object({
  affected: z.array(z.string()),
  graph: z.object({
    graph: z.object({
      nodes: z.record(z.string(), z.object({ data: z.object({ root: z.string() }) })),
      dependencies: z.record(z.string(), z.array(z.object({ source: z.string(), target: z.string() }))),
    }),
  }),
});

function readNx(output: string): OracleAnswer {
  const { affected, graph } = parsedAnswer('nx', Answer, output);
  const { nodes, dependencies } = graph.graph;
  const roots = new Map(Object.entries(nodes).map(([name, { data }]) => [name, rootOf(data.root)]));
  return {
    units: [...roots.values()],
    affected: affected.map((name) => {
      const root = roots.get(name);
      if (root === undefined) throw new UnreadableAnswer('nx', `${name} is affected and not in the graph`);
      return root;
    }),
    edges: Object.values(dependencies)
      .flat()
      .flatMap(({ source, target }) => {
        const [from, to] = [roots.get(source), roots.get(target)];
        return from === undefined || to === undefined ? [] : [{ from, to, passesOn: true }];
      }),
    unknown: 0,
  };
}
